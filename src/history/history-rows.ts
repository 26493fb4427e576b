import { type HistoryRow, MAX_ROWS, type TransitionRow } from '../contract/row-lists.ts'
import { STATUS_CODES } from '../contract/schema-parts.ts'
import { byName } from '../contract/status-json.ts'
import { formatExactTime } from '../contract/time.ts'
import { bySeverity } from '../domain/effective-status.ts'
import type { EpochMs, SyncStatus, Target } from '../domain/report.ts'
import type { Buckets } from './buckets.ts'
import type { Stretch, TargetStretches } from './stretches.ts'
import { eachInTurns, mapInTurns, sortInTurns } from './turns.ts'

/**
 * The worst that each target showed in each bucket, in order of time and then of name.
 *
 * The worst and not what it showed at the bucket's beginning: drift that came and went between two points of a long
 * graph is what somebody looks for in it. A target has no row before its first report.
 */
export async function historyRowsOf(
  targets: readonly TargetStretches[],
  { times, until }: Buckets,
): Promise<HistoryRow[]> {
  const sorted = await sortInTurns(targets, (a, b) => byName(a.target, b.target))
  const places = sorted.map(() => 0)
  const rows: HistoryRow[] = []
  for (const [index, from] of times.entries()) {
    const to = times[index + 1] ?? until + 1
    const time = formatExactTime(from)
    await eachInTurns(sorted.entries(), ([number, { target, stretches }]) => {
      const shown = stretchesBetween(stretches, from, to, places[number] ?? 0)
      places[number] = shown.place
      if (shown.worst === null) return
      rows.push({
        time,
        repo: target.repo,
        server: target.server,
        status_code: STATUS_CODES[shown.worst.status],
        drift_count: shown.driftCount,
      })
    })
  }
  return rows
}

/** @param place The first of the stretches that can lie here: those before it are over. */
export function stretchesBetween(stretches: readonly Stretch[], from: EpochMs, to: EpochMs, place: number) {
  let first = place
  while ((stretches[first]?.until ?? Number.POSITIVE_INFINITY) <= from) first++
  let worst: Stretch | null = null
  let driftCount = 0
  for (let index = first; index < stretches.length; index++) {
    const stretch = stretches[index]
    if (stretch === undefined || stretch.from >= to) break
    if (worst === null || bySeverity(stretch.status, worst.status) < 0) worst = stretch
    driftCount = Math.max(driftCount, stretch.driftCount)
  }
  return { worst, driftCount, place: first }
}

/** What a target showed at the end of a span. */
export function statusAtEnd({ stretches }: TargetStretches, to: EpochMs): Stretch['status'] {
  return stretches.findLast(({ from }) => from <= to)?.status ?? 'UNKNOWN'
}

/** Each moment in a span at which a status became another, the oldest first; of too many the newest. */
export async function transitionRowsOf(
  targets: readonly TargetStretches[],
  { from, to }: { from: EpochMs; to: EpochMs },
): Promise<TransitionRow[]> {
  const found: { target: Target; before: SyncStatus | null; stretch: Stretch }[] = []
  await eachInTurns(targets, ({ target, stretches }) => {
    for (const [index, stretch] of stretches.entries()) {
      // It was the target's first report, or what was before is pruned: which of the two is not known.
      const before = stretches[index - 1]?.status ?? null
      if (stretch.status !== before && stretch.from >= from && stretch.from <= to)
        found.push({ target, before, stretch })
    }
  })
  const sorted = await sortInTurns(found, (a, b) => a.stretch.from - b.stretch.from || byName(a.target, b.target))
  return mapInTurns(sorted.slice(-MAX_ROWS), ({ target, before, stretch }) => ({
    time: formatExactTime(stretch.from),
    repo: target.repo,
    server: target.server,
    from_status: before,
    from_code: before && STATUS_CODES[before],
    to_status: stretch.status,
    to_code: STATUS_CODES[stretch.status],
    drift_count: stretch.driftCount,
    first_check: stretch.checkedAt === null ? null : formatExactTime(stretch.checkedAt),
  }))
}
