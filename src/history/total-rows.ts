import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TotalRow } from '../contract/row-lists.ts'
import { formatExactTime } from '../contract/time.ts'
import type { EpochMs } from '../domain/report.ts'
import type { Buckets } from './buckets.ts'
import { stretchesBetween } from './history-rows.ts'
import type { Stretch, TargetStretches } from './stretches.ts'

// A few milliseconds; then the event loop gets its turn, so that reports come in meanwhile.
const TARGETS_AT_ONCE = 500

const COUNTED_AS = { SYNCED: 'synced', OUT_OF_SYNC: 'out_of_sync', UNKNOWN: 'unknown' } as const

const NONE = { targets: 0, out_of_sync: 0, unknown: 0, synced: 0, drift_count: 0 }

/** How many targets showed each status, at worst, in each bucket. Nothing when there is no target. */
export async function totalRowsOf(
  targets: readonly TargetStretches[],
  { times, until }: Buckets,
): Promise<readonly TotalRow[]> {
  if (targets.length === 0) return []
  // What each bucket has more than the one before it. A target that shows the same all day is then two additions, and
  // not one for each bucket: of thousands of targets most do.
  const more = [...times, until].map(() => ({ ...NONE }))
  for (const [number, { stretches }] of targets.entries()) {
    if (number > 0 && number % TARGETS_AT_ONCE === 0) await nextTurn()
    for (let index = 0, place = 0; index < times.length; ) {
      const from = times[index] ?? until
      const shown = stretchesBetween(stretches, from, times[index + 1] ?? until + 1, place)
      place = shown.place
      const next = Math.max(index + 1, firstOther(stretches[place], from))
      if (shown.worst !== null) {
        add(more[index], shown.worst, shown.driftCount, 1)
        add(more[next], shown.worst, shown.driftCount, -1)
      }
      index = next
    }
  }
  const sum = { ...NONE }
  return times.map((from, index) => {
    const { targets = 0, out_of_sync = 0, unknown = 0, synced = 0, drift_count = 0 } = more[index] ?? NONE
    sum.targets += targets
    sum.out_of_sync += out_of_sync
    sum.unknown += unknown
    sum.synced += synced
    sum.drift_count += drift_count
    return { time: formatExactTime(from), ...sum }
  })

  /** The first bucket in which something else may have been on show than in the one that begins at `from`. */
  function firstOther(stretch: Stretch | undefined, from: EpochMs): number {
    if (stretch === undefined) return times.length
    return bucketAt(stretch.from <= from ? stretch.until : stretch.from)
  }

  function bucketAt(moment: EpochMs): number {
    if (moment > until) return times.length
    let [low, high] = [0, times.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((times[middle] ?? until) <= moment) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function add(row: typeof NONE | undefined, { status }: Stretch, driftCount: number, sign: 1 | -1): void {
  if (row === undefined) return
  row.targets += sign
  row[COUNTED_AS[status]] += sign
  row.drift_count += sign * driftCount
}
