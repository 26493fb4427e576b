import type { EpochMs, Received } from './report.ts'

/** What is known of one target. The same reports give the same state, in whatever order they are folded in. */
export interface TargetState<Body = unknown> {
  readonly newest: Received<Body>
  /**
   * The newest report that found something out (SYNCED or OUT_OF_SYNC). A failed check does not unsee drift, so this
   * stays on show until a check says otherwise. Null when no check has ever succeeded.
   */
  readonly lastKnown: Received<Body> | null
}

export interface Folded<Body = unknown> {
  readonly state: TargetState<Body>
  /** The report became the target's newest. */
  readonly applied: boolean
}

/** Takes one more report into account. Pure: the caller keeps the state. */
export function fold<Body>(before: TargetState<Body> | undefined, received: Received<Body>): Folded<Body> {
  const applied = before === undefined || isNewer(received, before.newest)
  const lastKnown = before?.lastKnown ?? null
  const isFinding = received.report.status !== 'UNKNOWN'

  return {
    state: {
      newest: applied ? received : before.newest,
      lastKnown: isFinding && (lastKnown === null || isNewer(received, lastKnown)) ? received : lastKnown,
    },
    applied,
  }
}

/**
 * Order of reports: by (min(`last_check`, arrival), arrival).
 *
 * A reporter's clock that runs a little ahead would otherwise keep its report "newest" until real time has caught up,
 * and hide every true one until then.
 */
export function isNewer(candidate: Received, current: Received): boolean {
  const difference = checkedBy(candidate) - checkedBy(current)
  return difference === 0 ? candidate.arrivedAt >= current.arrivedAt : difference > 0
}

/** When the comparison surely had begun: `last_check`, or the arrival when the reporter's clock runs ahead. */
export function checkedBy({ report, arrivedAt }: Received): EpochMs {
  return Math.min(report.checkedAt.getTime(), arrivedAt.getTime())
}
