import type { StatusRow } from '../../../contract/status-json.ts'
import { StatusIcon } from '../parts/status.tsx'
import {
  CAUSE_NAMES,
  CAUSES,
  FRESHNESS_MEANS,
  FRESHNESS_WORD,
  numberWords,
  STATUS_WORD,
  STATUSES,
  type SyncStatus,
} from '../parts/words.ts'
import { toggled, type Wish } from './wish.ts'

interface Props {
  readonly counts: Readonly<Record<SyncStatus, number>>
  readonly rows: readonly StatusRow[]
  readonly wish: Wish
  readonly change: (part: Partial<Wish>) => void
}

/** How many targets have each status: a picture of their shares, and the filter. */
export function StatusBar({ counts, rows, wish, change }: Props) {
  const total = STATUSES.reduce((sum, status) => sum + counts[status], 0)
  const late = rows.reduce((sum, { freshness }) => sum + (freshness === 'LATE' ? 1 : 0), 0)
  const stale = rows.reduce((sum, row) => sum + row.stale, 0)

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
            <b>{numberWords(counts[status])}</b> {STATUS_WORD[status]}
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
            title={`${numberWords(counts[status])} ${STATUS_WORD[status]}`}
            onClick={() => change({ status: toggled(wish.status, status) })}
            style={{ flexGrow: counts[status], display: counts[status] > 0 ? 'block' : 'none' }}
          />
        ))}
        {total === 0 && <span className="none" />}
      </div>
      <div className="chips">
        {stale > 0 && (
          <Chip
            isOn={wish.freshness.includes('STALE')}
            title={FRESHNESS_MEANS.STALE}
            onClick={() => change({ freshness: toggled(wish.freshness, 'STALE') })}
          >
            {numberWords(stale)} {FRESHNESS_WORD.STALE}
          </Chip>
        )}
        {late > 0 && (
          <Chip
            isOn={wish.freshness.includes('LATE')}
            title={FRESHNESS_MEANS.LATE}
            onClick={() => change({ freshness: toggled(wish.freshness, 'LATE') })}
          >
            {numberWords(late)} {FRESHNESS_WORD.LATE}
          </Chip>
        )}
        {/* Who is silent is found by the chip for stale. */}
        {CAUSE_NAMES.filter((cause) => cause !== 'stale').map((cause) => {
          const { word, means, isOf } = CAUSES[cause]
          const count = rows.reduce((sum, row) => sum + (isOf(row) ? 1 : 0), 0)
          if (count === 0) return null
          return (
            <Chip
              key={cause}
              isOn={wish.cause.includes(cause)}
              title={means}
              onClick={() => change({ cause: toggled(wish.cause, cause) })}
            >
              {numberWords(count)} {word}
            </Chip>
          )
        })}
      </div>
    </section>
  )
}

interface ChipProps {
  readonly isOn: boolean
  readonly title: string
  readonly onClick: () => void
  readonly children: React.ReactNode
}

function Chip({ isOn, title, onClick, children }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} title={title} onClick={onClick}>
      {children}
    </button>
  )
}
