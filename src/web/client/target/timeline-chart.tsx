import type { MouseEvent } from 'react'
import { durationWords, timeWords, type Zone, zoneWords } from '../parts/time-words.ts'
import { countOf, STATUS_WORD } from '../parts/words.ts'
import { useZone } from '../parts/zone.ts'
import { type Span, type Stretch, sumsOf, ticksIn } from './timeline.ts'

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
    <figure className="timeline">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field for the moment beside it does the same by keyboard */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
      <div className="track" onClick={pick} title="Click to see this moment">
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
  )
}

function titleOf({ kind, from, to, driftCount, checks, missed }: Stretch, zone: Zone): string {
  const what = kind === 'silent' ? 'No report came in time' : STATUS_WORD[kind]
  const drift = kind !== 'SYNCED' && driftCount > 0 ? `, ${countOf(driftCount, 'drifted file')}` : ''
  const counted = checks === 0 ? '' : `\n${countOf(checks, 'check')}${missed > 0 ? `, ${missed} missed` : ''}`
  return `${what}${drift}\n${timeWords(zone, from)} to ${timeWords(zone, to)} ${zoneWords(zone, to)} (${durationWords(to - from)})${counted}`
}

function tickWords(tick: number, length: number, zone: Zone): string {
  const text = timeWords(zone, tick)
  return length <= 2 * 86_400_000 ? text.slice(11, 16) : text.slice(5, 10)
}
