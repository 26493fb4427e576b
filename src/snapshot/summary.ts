import { type CoverageGap, coverageGapOf } from '../contract/watched.ts'
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
  /** How many of all stand on a part of what is declared. */
  readonly gapCount: number
  /** That of the first of them. */
  readonly gap: CoverageGap | null
}

export const NOTHING: Summary = {
  ...{ status: 'UNKNOWN', reason: 'never_reported' },
  ...{ driftCount: 0, targetCount: 0, worstCount: 0, gapCount: 0, gap: null },
}

/** With one more target, in any order, and without a list of anything: a fleet is summed up for each picture of it. */
export function withTarget(summary: Summary, view: View): Summary {
  const driftCount = summary.driftCount + (view.finding?.report.driftCount ?? 0)
  const targetCount = summary.targetCount + 1
  const ownGap = coverageGapOf(view.record.newest.report.body)
  const gaps = { gapCount: summary.gapCount + (ownGap === null ? 0 : 1), gap: summary.gap ?? ownGap }
  const difference = summary.targetCount === 0 ? -1 : bySeverity(view.status, summary.status)
  if (difference < 0) {
    return { status: view.status, reason: view.reason, driftCount, targetCount, worstCount: 1, ...gaps }
  }
  const isSuch = difference === 0
  return {
    status: summary.status,
    // One word for all of them, so only what is true of each.
    reason: isSuch && view.reason !== summary.reason ? 'check_failed' : summary.reason,
    driftCount,
    targetCount,
    worstCount: summary.worstCount + (isSuch ? 1 : 0),
    ...gaps,
  }
}
