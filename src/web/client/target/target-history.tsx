import { useMemo, useState } from 'react'
import type { EpisodeRow, PeriodRow } from '../../../contract/target-history.ts'
import { useServerNow } from '../parts/time.tsx'
import { useJson } from '../parts/use-json.ts'
import { EpisodeTable } from './episode-table.tsx'
import { stretchesIn } from './timeline.ts'
import { TimelineChart } from './timeline-chart.tsx'

interface Props {
  /** `repo` and `server` for a query. */
  readonly names: URLSearchParams
  /** Another value when the target has changed. */
  readonly version: unknown
  readonly at: number | null
  readonly onPick: (at: number) => void
}

interface Page<Item> {
  readonly items: readonly Item[]
}

const DAY_MS = 86_400_000
const SPANS = [
  ['1 day', DAY_MS],
  ['7 days', 7 * DAY_MS],
  ['90 days', 90 * DAY_MS],
] as const

/** What a target showed before: as a line, and drift by drift. */
export function TargetHistory({ names, version, at, onPick }: Props) {
  const [lengthMs, setLengthMs] = useState<number>(DAY_MS)
  const now = useServerNow()
  // In steps, so that a page that stands open does not ask each second.
  const to = Math.ceil(now / 60_000) * 60_000
  const from = to - lengthMs
  const periods = useJson<Page<PeriodRow>>(`api/v1/periods?${names}&from=${from}&limit=1000`, version)
  const episodes = useJson<Page<EpisodeRow>>(`api/v1/episodes?${names}&from=0&limit=20`, version)
  const span = { from, to: now }
  const items = periods.value?.items
  const stretches = useMemo(() => stretchesIn({ from, to: now }, items ?? []), [from, now, items])

  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <div className="choices" role="group" aria-label="How far back">
        {SPANS.map(([word, length]) => (
          <button type="button" key={word} aria-pressed={length === lengthMs} onClick={() => setLengthMs(length)}>
            {word}
          </button>
        ))}
      </div>
      {periods.error !== null && <p className="problem">{periods.error}</p>}
      <TimelineChart span={span} stretches={stretches} at={at} onPick={onPick} />
      <h2>Episodes of drift, until now</h2>
      {episodes.error !== null && <p className="problem">{episodes.error}</p>}
      {episodes.value !== null && <EpisodeTable episodes={episodes.value.items} />}
    </section>
  )
}
