import type { Reason } from '../domain/effective-status.ts'
import type { Freshness } from '../domain/freshness.ts'
import type { SyncStatus } from '../domain/report.ts'
import type { DriftedFile, ReportBody } from './report.ts'

/**
 * `GET /status.json`: the requirement's six fields for the only target, or rolled up over several, and one flat row
 * for each target. Always this shape, with whatever number of targets.
 */
export interface StatusJson {
  /** Null when the targets do not share one. */
  readonly repo: string | null
  readonly server: string | null
  /** The worst of all targets. UNKNOWN when there is none. */
  readonly sync_status: SyncStatus
  /** What drift was last seen stays here until a check says otherwise, also while the status is UNKNOWN. */
  readonly drift_count: number
  /** As they were sent. With several targets each also names its `repo` and `server`. */
  readonly files: readonly (DriftedFile & Partial<TargetName>)[]
  /** As it was sent; of several the oldest. */
  readonly last_check: string | null

  /** Null unless the status is UNKNOWN. */
  readonly reason: Reason | null
  readonly freshness: Freshness | null
  /** Server's now − last_check, never negative. */
  readonly age_seconds: number | null
  /** Seconds since the newest report arrived; of several the longest. */
  readonly contact_age_seconds: number | null
  /** Only for a single target whose status is UNKNOWN. */
  readonly last_known: LastKnown | null
  /** Only for a single target whose last check failed. */
  readonly error: ReportBody['error'] | null
  /** `files` is not all of the drift that `drift_count` counts. */
  readonly files_truncated: boolean
  readonly target_count: number
  readonly items: readonly StatusRow[]
  readonly items_truncated: boolean
  /** The moment that this answer describes. */
  readonly generated_at: string
}

export interface TargetName {
  readonly repo: string
  readonly server: string
}

export interface LastKnown {
  readonly sync_status: SyncStatus
  readonly drift_count: number
  readonly files: readonly DriftedFile[]
  readonly last_check: string
}

/** One target, flat: each key has one type in all rows, and numbers stand beside the words (for panels and alerts). */
export interface StatusRow extends TargetName {
  readonly sync_status: SyncStatus
  /** 0 SYNCED, 1 OUT_OF_SYNC, 2 UNKNOWN. */
  readonly status_code: number
  readonly out_of_sync: number
  readonly drift_count: number
  readonly last_check: string
  /** The first check of the unbroken run with this status; of silence the moment in which the grace was over. */
  readonly since: string
  /** The first check that found the drift that is not repaired yet, */
  readonly drift_since: string | null
  /** and the newest check before it, which found none: it began between the two. */
  readonly last_clean: string | null
  readonly age_seconds: number
  readonly contact_age_seconds: number
  readonly freshness: Freshness
  readonly stale: number
  readonly reason: Reason | null
  readonly error_code: string | null
  readonly error_message: string | null
  readonly last_known_status: SyncStatus | null
  readonly last_known_check: string | null
  readonly revision: string | null
  readonly pipeline_url: string | null
  readonly checked: number | null
  readonly total: number | null
  readonly interval_seconds: number
  /** Since when the checks have said the same without a break: how many there were, */
  readonly checks: number
  /** and how many that were due stayed out. */
  readonly missed_checks: number
}
