import { useDeferredValue, useMemo } from 'react'
import { useFleet } from '../live/use-fleet.ts'
import { countOf, numberWords } from '../parts/words.ts'
import { FirstReport } from './first-report.tsx'
import { linesOf } from './groups.ts'
import { StatusBar } from './status-bar.tsx'
import { TargetList } from './target-list.tsx'
import { Toolbar } from './toolbar.tsx'
import { useWish } from './use-wish.ts'
import { chosenOf, isFiltered, NO_FILTER } from './wish.ts'

/** Every target, the worst first. */
export function FleetPage() {
  const { rows, isComplete } = useFleet()
  const [asked, change] = useWish()
  const wish = useDeferredValue(asked) // typing stays quick, however long the list
  const chosen = useMemo(() => chosenOf(rows, wish), [wish, rows])
  const lines = useMemo(() => linesOf(chosen.rows, wish.group), [chosen, wish.group])

  if (!isComplete && rows.length === 0) return <p className="dim">Asking the server what it knows…</p>
  if (rows.length === 0) return <FirstReport />
  return (
    <>
      <h1 className="offscreen">Fleet</h1>
      <StatusBar counts={chosen.counts} rows={rows} wish={asked} change={change} />
      <Toolbar rows={rows} wish={asked} change={change} />
      <p className="dim found" role="status">
        {isFiltered(wish)
          ? `${numberWords(chosen.rows.length)} of ${countOf(rows.length, 'target')}`
          : countOf(rows.length, 'target')}
      </p>
      {chosen.rows.length === 0 ? (
        <p>
          Nothing matches.{' '}
          <button type="button" onClick={() => change(NO_FILTER)}>
            Show everything
          </button>
        </p>
      ) : (
        <TargetList lines={lines} view={wish.view} />
      )}
    </>
  )
}
