import { useMemo } from 'react'
import type { EpisodeRow, PeriodRow } from '../../../contract/target-history.ts'
import { Reported } from '../parts/reported.tsx'
import { useServerNow } from '../parts/time.tsx'
import { useJson } from '../parts/use-json.ts'
import { EpisodeTable } from './episode-table.tsx'
import { episodesThen } from './episodes-then.ts'
import { spanFor, stretchesIn } from './timeline.ts'
import { TimelineChart } from './timeline-chart.tsx'

interface Props {
  /** `repo` and `server` for a query. */
  readonly names: URLSearchParams
  /** Another value when the target has changed. */
  readonly version: unknown
  /** The moment that the page shows; null is now. Of what came after it nothing is shown. */
  readonly at: number | null
  /** The first check of the drift that was on show then. Undefined while that is awaited. */
  readonly driftSince: string | null | undefined
  readonly days: Days
  readonly onPick: (at: number) => void
  readonly onDays: (days: Days) => void
}

interface Page<Item> {
  readonly items: readonly Item[]
}

const DAY_MS = 86_400_000

export type Days = 1 | 7 | 90

const SPANS: readonly Days[] = [1, 7, 90]

/** How many days an address asks for; what it does not say, or says wrongly, is one. */
export function daysIn(query: URLSearchParams): Days {
  return SPANS.find((days) => String(days) === query.get('days')) ?? 1
}

/** What a target showed before: as a line, and drift by drift. */
export function TargetHistory({ names, version, at, driftSince, days, onPick, onDays }: Props) {
  const now = useServerNow()
  // In steps, so that a page that stands open does not ask each second.
  const { from, to } = spanFor(days * DAY_MS, at, Math.ceil(now / 60_000) * 60_000)
  const known = at ?? now
  const until = at === null ? '' : `&to=${at}`
  const periods = useJson<Page<PeriodRow>>(`api/v1/periods?${names}&from=${from}${until}&limit=1000`, version)
  const episodes = useJson<Page<EpisodeRow>>(`api/v1/episodes?${names}&from=0${until}&limit=20`, version)
  const items = periods.value?.items
  const stretches = useMemo(() => stretchesIn({ from, to: known }, items ?? []), [from, known, items])
  const shown =
    at === null
      ? episodes.value?.items
      : driftSince !== undefined && episodes.value && episodesThen(episodes.value.items, at, driftSince)

  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <div className="choices" role="group" aria-label="How far back">
        {SPANS.map((one) => (
          <button type="button" key={one} aria-pressed={one === days} onClick={() => onDays(one)}>
            {one === 1 ? '1 day' : `${one} days`}
          </button>
        ))}
      </div>
      {periods.error !== null && (
        <p className="problem">
          <Reported text={periods.error} hasLines />
        </p>
      )}
      {periods.value !== null && (
        <TimelineChart span={{ from, to: Math.min(to, now) }} stretches={stretches} at={at} onPick={onPick} />
      )}
      <h2>Episodes of drift{at === null ? '' : ', as they were known then'}</h2>
      {episodes.error !== null && (
        <p className="problem">
          <Reported text={episodes.error} hasLines />
        </p>
      )}
      {shown && <EpisodeTable episodes={shown} />}
    </section>
  )
}
