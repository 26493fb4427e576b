import { useCallback, useEffect, useMemo } from 'react'
import { useSearch } from 'wouter/use-browser-location'
import { useFleet } from '../live/use-fleet.ts'
import { countOf, numberWords } from '../parts/words.ts'
import { FirstReport } from './first-report.tsx'
import { linesOf } from './groups.ts'
import { StatusBar } from './status-bar.tsx'
import { TargetList } from './target-list.tsx'
import { Toolbar } from './toolbar.tsx'
import { useAlsoBy } from './use-also-by.ts'
import { usePlace } from './use-place.ts'
import { useWish } from './use-wish.ts'
import { keepSearch } from './way-back.ts'
import { chosenOf, EVERYTHING, isFiltered, NO_FILTER, prepareSearch, toggled } from './wish.ts'

/** Every target, the worst first. */
export function FleetPage() {
  const { rows, isComplete } = useFleet()
  const [wish, change] = useWish()
  const search = useSearch()
  useEffect(() => keepSearch(search), [search])

  const place = usePlace()

  const alsoBy = useAlsoBy(rows, wish.who)
  const whole = useMemo(() => chosenOf(rows, EVERYTHING), [rows])
  const chosen = useMemo(() => (isFiltered(wish) ? chosenOf(rows, wish, alsoBy) : whole), [wish, rows, whole, alsoBy])
  const lines = useMemo(() => linesOf(chosen.rows, wish.group, wish.open), [chosen, wish.group, wish.open])
  const fold = useCallback((id: string) => change({ open: toggled(wish.open, id) }), [change, wish.open])

  if (!isComplete && rows.length === 0) return <p className="dim">Asking the server what it knows…</p>
  if (rows.length === 0) return <FirstReport />
  return (
    <>
      <h1 className="offscreen">Fleet</h1>
      <StatusBar counts={chosen.counts} totals={whole.counts} wish={wish} change={change} />
      <Toolbar
        {...{ counts: chosen.counts, totals: whole.counts, wish, change }}
        onSearch={() => prepareSearch(rows)}
      />
      <div className="about-list dim">
        <p className="found" role="status">
          {isFiltered(wish)
            ? `${numberWords(chosen.rows.length)} of ${countOf(rows.length, 'target')}`
            : countOf(rows.length, 'target')}
        </p>
        {isFiltered(wish) && (
          <>
            <p>Filters count what each would show with the others as they are; “of” is the whole fleet.</p>
            <button type="button" onClick={() => change(NO_FILTER)}>
              Show everything
            </button>
          </>
        )}
      </div>
      {chosen.rows.length === 0 ? (
        <p>Nothing matches.</p>
      ) : (
        <TargetList lines={lines} view={wish.view} fold={fold} place={place} />
      )}
    </>
  )
}
