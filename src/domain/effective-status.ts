import type { Freshness } from './freshness.ts'
import type { Received, SyncStatus } from './report.ts'
import type { TargetState } from './target-state.ts'

/** Why a status is UNKNOWN. */
export type Reason = 'check_failed' | 'stale' | 'never_reported'

export interface EffectiveStatus<Body = unknown> {
  readonly status: SyncStatus
  /** Null unless the status is UNKNOWN. */
  readonly reason: Reason | null
  /** Whose drift is on show: the newest finding, also while the status is UNKNOWN. */
  readonly finding: Received<Body> | null
}

/**
 * What a target shows: what its newest report said, unless that is too long ago to say anything about now.
 * Silence outweighs a failed check: the failure, too, is of some time ago.
 */
export function effectiveStatus<Body>(state: TargetState<Body>, freshness: Freshness): EffectiveStatus<Body> {
  const finding = state.lastKnown
  if (freshness === 'STALE') return { status: 'UNKNOWN', reason: 'stale', finding }
  if (state.newest.report.status === 'UNKNOWN') return { status: 'UNKNOWN', reason: 'check_failed', finding }
  return { status: state.newest.report.status, reason: null, finding }
}

// Drift that was seen outweighs what could not be looked at; only all SYNCED is SYNCED.
const WORST_FIRST: readonly SyncStatus[] = ['OUT_OF_SYNC', 'UNKNOWN', 'SYNCED']

/** For sorting: negative when `a` is worse than `b`. */
export function bySeverity(a: SyncStatus, b: SyncStatus): number {
  return WORST_FIRST.indexOf(a) - WORST_FIRST.indexOf(b)
}

/** The status of several targets together. Of none it is UNKNOWN: nothing was looked at. */
export function worstOf(statuses: readonly SyncStatus[]): SyncStatus {
  return WORST_FIRST.find((status) => statuses.includes(status)) ?? 'UNKNOWN'
}
