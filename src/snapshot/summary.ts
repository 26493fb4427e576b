import { bySeverity, type Reason } from '../domain/effective-status.ts'
import type { SyncStatus } from '../domain/report.ts'
import type { View } from './view.ts'

/** Several targets in a few words. */
export interface Summary {
  /** The worst of all; UNKNOWN when there is none. */
  readonly status: SyncStatus
  /** Null unless the status is UNKNOWN; `stale` only when all that show it are. */
  readonly reason: Reason | null
  readonly driftCount: number
  readonly targetCount: number
  /** How many of them show that status. */
  readonly worstCount: number
}

const NOTHING: Summary = { status: 'UNKNOWN', reason: 'never_reported', driftCount: 0, targetCount: 0, worstCount: 0 }

/** In one pass, without a list of anything: a fleet is summed up for each picture of it that somebody looks at. */
export function summaryOf(views: Iterable<View>): Summary {
  let summary: Summary | undefined
  for (const view of views) {
    const driftCount = (summary?.driftCount ?? 0) + (view.finding?.report.driftCount ?? 0)
    const targetCount = (summary?.targetCount ?? 0) + 1
    const difference = summary === undefined ? -1 : bySeverity(view.status, summary.status)
    if (summary === undefined || difference < 0) {
      summary = { status: view.status, reason: view.reason, driftCount, targetCount, worstCount: 1 }
    } else {
      const isSuch = difference === 0
      summary = {
        status: summary.status,
        // One word for all of them, so only what is true of each.
        reason: isSuch && view.reason !== summary.reason ? 'check_failed' : summary.reason,
        driftCount,
        targetCount,
        worstCount: summary.worstCount + (isSuch ? 1 : 0),
      }
    }
  }
  return summary ?? NOTHING
}
