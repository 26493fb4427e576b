import { memo } from 'react'
import { StatusIcon } from '../parts/status.tsx'
import {
  CAUSE_NAMES,
  CAUSES,
  FRESHNESS_MEANS,
  FRESHNESS_WORD,
  FRESHNESSES,
  numberWords,
  STATUS_WORD,
  STATUSES,
} from '../parts/words.ts'
import type { ChangeWish } from './use-wish.ts'
import { type Counts, toggled, type Wish } from './wish.ts'

interface Props {
  /** What choosing each would show. */
  readonly counts: Counts
  /** The same of the whole fleet. */
  readonly totals: Counts
  readonly wish: Pick<Wish, 'status' | 'freshness' | 'cause'>
  readonly change: ChangeWish
}

/** How many targets have each status: a picture of their shares, and the filter. */
export const StatusBar = memo(function StatusBar({ counts, totals, wish, change }: Props) {
  const shown = STATUSES.reduce((sum, status) => sum + counts.status[status], 0)

  return (
    <section className="summary" aria-label="Totals and filter">
      <div className="totals">
        {STATUSES.map((status) => (
          <button
            type="button"
            key={status}
            className={`total ${status}`}
            aria-pressed={wish.status.includes(status)}
            onClick={() => change({ status: toggled(wish.status, status) })}
          >
            <StatusIcon status={status} />
            <b>{numberWords(counts.status[status])}</b>{' '}
            <Of total={totals.status[status]} count={counts.status[status]} />
            {STATUS_WORD[status]}
          </button>
        ))}
      </div>
      <div className="share" aria-hidden="true">
        {STATUSES.map((status) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the buttons above do the same, by keyboard too
          // biome-ignore lint/a11y/useKeyWithClickEvents: see above
          <span
            key={status}
            className={status}
            title={`${numberWords(counts.status[status])} ${STATUS_WORD[status]}`}
            onClick={() => change({ status: toggled(wish.status, status) })}
            style={{ flexGrow: counts.status[status], display: counts.status[status] > 0 ? 'block' : 'none' }}
          />
        ))}
        {shown === 0 && <span className="none" />}
      </div>
      <div className="chips">
        {/* That all is as it should be is no news; but whoever asks for it has to see that he does. */}
        {FRESHNESSES.map((one) => (
          <Chip
            key={one}
            isOn={wish.freshness.includes(one)}
            isNews={one !== 'FRESH'}
            count={counts.freshness[one]}
            total={totals.freshness[one]}
            title={FRESHNESS_MEANS[one]}
            onClick={() => change({ freshness: toggled(wish.freshness, one) })}
          >
            {FRESHNESS_WORD[one]}
          </Chip>
        ))}
        {CAUSE_NAMES.map((one) => (
          <Chip
            key={one}
            isOn={wish.cause.includes(one)}
            isNews={one !== 'stale'} // who is silent is found by the chip for stale
            count={counts.cause[one]}
            total={totals.cause[one]}
            title={CAUSES[one].means}
            onClick={() => change({ cause: toggled(wish.cause, one) })}
          >
            {CAUSES[one].word}
          </Chip>
        ))}
      </div>
    </section>
  )
})

interface ChipProps {
  readonly isOn: boolean
  /** To be offered to those who have not asked for it. */
  readonly isNews: boolean
  readonly count: number
  readonly total: number
  readonly title: string
  readonly onClick: () => void
  readonly children: React.ReactNode
}

function Chip({ isOn, isNews, count, total, title, onClick, children }: ChipProps) {
  if (!isOn && (!isNews || total === 0)) return null
  return (
    <button type="button" className="chip" aria-pressed={isOn} title={title} onClick={onClick}>
      {numberWords(count)} <Of total={total} count={count} />
      {children}
      {isOn && <span aria-hidden="true"> ✕</span>}
    </button>
  )
}

/** How many there are in the whole fleet, where that is another number. */
function Of({ total, count }: { readonly total: number; readonly count: number }) {
  return total === count ? null : <span className="of">of {numberWords(total)} </span>
}
