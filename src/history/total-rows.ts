import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TotalRow } from '../contract/row-lists.ts'
import { formatExactTime } from '../contract/time.ts'
import type { Buckets } from './buckets.ts'
import { stretchesBetween } from './history-rows.ts'
import type { TargetStretches } from './stretches.ts'

// A few milliseconds; then the event loop gets its turn, so that reports come in meanwhile.
const TARGETS_AT_ONCE = 100

const COUNTED_AS = { SYNCED: 'synced', OUT_OF_SYNC: 'out_of_sync', UNKNOWN: 'unknown' } as const

/** How many targets showed each status, at worst, in each bucket. Nothing when there is no target. */
export async function totalRowsOf(
  targets: readonly TargetStretches[],
  { times, until }: Buckets,
): Promise<readonly TotalRow[]> {
  if (targets.length === 0) return []
  const rows = times.map((from) => ({
    time: formatExactTime(from),
    targets: 0,
    out_of_sync: 0,
    unknown: 0,
    synced: 0,
    drift_count: 0,
  }))
  for (const [number, { stretches }] of targets.entries()) {
    if (number > 0 && number % TARGETS_AT_ONCE === 0) await nextTurn()
    let place = 0
    for (const [index, row] of rows.entries()) {
      const shown = stretchesBetween(stretches, times[index] ?? 0, times[index + 1] ?? until + 1, place)
      place = shown.place
      if (shown.worst === null) continue
      row.targets++
      row[COUNTED_AS[shown.worst.status]]++
      row.drift_count += shown.driftCount
    }
  }
  return rows
}
