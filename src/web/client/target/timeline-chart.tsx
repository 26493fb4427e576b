import { type MouseEvent, useState } from 'react'
import { durationWords, timeWords, type Zone, zoneWords } from '../parts/time-words.ts'
import { countOf, STATUS_WORD } from '../parts/words.ts'
import { useZone } from '../parts/zone.ts'
import { type Part, partsIn, type Span, type Stretch, sumsOf, ticksIn } from './timeline.ts'

interface Props {
  readonly span: Span
  readonly stretches: readonly Stretch[]
  /** The moment that the page shows; null is now. */
  readonly at: number | null
  readonly onPick: (at: number) => void
}

/** What a target showed over time. Silence is a gap, and what is not known is left empty. */
export function TimelineChart({ span, stretches, at, onPick }: Props) {
  const zone = useZone()
  const length = span.to - span.from
  const percent = (moment: number) => `${(100 * (moment - span.from)) / length}%`
  function pick({ currentTarget, clientX }: MouseEvent<HTMLElement>) {
    const { left, width } = currentTarget.getBoundingClientRect()
    onPick(Math.round(span.from + (length * (clientX - left)) / width))
  }
  // The words of a mark at the edge would be cut off.
  const hasRoom = (tick: number) => Math.min(tick - span.from, span.to - tick) > 0.05 * length
  const sums = sumsOf(stretches)
  return (
    <>
      <figure className="timeline">
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field for the moment beside it does the same by keyboard */}
        <div
          className="track"
          role="img"
          aria-label="The periods, which the table below lists"
          onClick={pick}
          title="Click to see this moment"
        >
          {stretches.map((stretch) => (
            <span
              key={`${stretch.kind} ${stretch.from}`}
              className={`stretch ${stretch.kind}`}
              title={titleOf(stretch, zone)}
              style={{
                left: `min(calc(100% - 3px), ${percent(stretch.from)})`,
                width: `${(100 * (stretch.to - stretch.from)) / length}%`,
              }}
            />
          ))}
          {at !== null && at >= span.from && at < span.to && (
            <span className="later" style={{ left: percent(at), right: 0 }} title="After this moment" />
          )}
          {at !== null && at >= span.from && at <= span.to && <span className="moment" style={{ left: percent(at) }} />}
        </div>
        <div className="axis" aria-hidden="true">
          {ticksIn(zone, span)
            .filter(hasRoom)
            .map((tick) => (
              <span key={tick} style={{ left: percent(tick) }}>
                {tickWords(tick, length, zone)}
              </span>
            ))}
        </div>
        <figcaption className="dim">
          {(['SYNCED', 'OUT_OF_SYNC', 'UNKNOWN'] as const)
            .filter((kind) => sums[kind] > 0)
            .map((kind) => `${STATUS_WORD[kind]} ${durationWords(sums[kind])}`)
            .concat(sums.silent > 0 ? [`silent ${durationWords(sums.silent)}`] : [])
            .join(' · ') || 'Nothing is known of this time.'}{' '}
          · times in {zoneWords(zone, span.to)}
        </figcaption>
      </figure>
      <Legend />
      <PeriodTable
        parts={partsIn({ from: span.from, to: at === null ? span.to : Math.min(at, span.to) }, stretches)}
        onPick={onPick}
      />
    </>
  )
}

const LEGEND = [
  ['SYNCED', STATUS_WORD.SYNCED],
  ['OUT_OF_SYNC', STATUS_WORD.OUT_OF_SYNC],
  ['UNKNOWN', `${STATUS_WORD.UNKNOWN}: a check failed`],
  ['silent', 'silent: no report came in time'],
  ['nothing', 'empty: nothing is known'],
] as const

function Legend() {
  return (
    <ul className="legend" aria-label="What the colours mean">
      {LEGEND.map(([kind, words]) => (
        <li key={kind}>
          <span className="swatch" aria-hidden="true">
            {kind !== 'nothing' && <span className={`stretch ${kind}`} />}
          </span>
          {words}
        </li>
      ))}
    </ul>
  )
}

// Nobody reads more, and a target that flaps for ninety days has thousands.
const LISTED = 200

/** The same for who cannot see or point: each period, the newest first, and a way to its beginning. */
function PeriodTable({ parts, onPick }: { readonly parts: readonly Part[]; readonly onPick: (at: number) => void }) {
  const zone = useZone()
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details className="periods" onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <div className="wide">
          <table className="episodes">
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">For</th>
                <th scope="col">Status</th>
                <th scope="col">Checks</th>
              </tr>
            </thead>
            <tbody>
              {parts
                .slice(-LISTED)
                .toReversed()
                .map((part) => (
                  <tr key={`${part.kind} ${part.from}`}>
                    <td data-label="From">
                      {part.kind === 'nothing' ? (
                        timeWords(zone, part.from)
                      ) : (
                        <button
                          type="button"
                          className="link"
                          title="Show this moment"
                          onClick={() => onPick(Math.ceil(part.from))}
                        >
                          {timeWords(zone, part.from)}
                        </button>
                      )}
                    </td>
                    <td data-label="To">{timeWords(zone, part.to)}</td>
                    <td data-label="For">{durationWords(part.to - part.from)}</td>
                    <td data-label="Status">{whatOf(part)}</td>
                    <td data-label="Checks">{part.checks === 0 ? '–' : countsOf(part)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
          {parts.length > LISTED && (
            <p className="dim">
              The newest {LISTED} of {countOf(parts.length, 'period')}.
            </p>
          )}
        </div>
      )}
    </details>
  )
}

function whatOf({ kind, driftCount }: Part): string {
  if (kind === 'nothing') return 'Nothing is known'
  const what = kind === 'silent' ? 'No report came in time' : STATUS_WORD[kind]
  return kind !== 'SYNCED' && driftCount > 0 ? `${what}, ${countOf(driftCount, 'drifted file')}` : what
}

function countsOf({ checks, missed }: Part): string {
  return `${countOf(checks, 'check')}${missed > 0 ? `, ${missed} missed` : ''}`
}

function titleOf(stretch: Stretch, zone: Zone): string {
  const { from, to, checks } = stretch
  const counted = checks === 0 ? '' : `\n${countsOf(stretch)}`
  return `${whatOf(stretch)}\n${timeWords(zone, from)} to ${timeWords(zone, to)} ${zoneWords(zone, to)} (${durationWords(to - from)})${counted}`
}

function tickWords(tick: number, length: number, zone: Zone): string {
  const text = timeWords(zone, tick)
  return length <= 2 * 86_400_000 ? text.slice(11, 16) : text.slice(5, 10)
}
