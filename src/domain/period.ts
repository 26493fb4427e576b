import { staleAfterMs } from './freshness.ts'
import type { EpochMs, Received, SyncStatus } from './report.ts'
import { checkedBy, type TargetState } from './target-state.ts'

/**
 * A stretch in which every check of a target said the same and none stayed out for so long that the target was STALE.
 * However many checks there are, it is kept as one.
 */
export interface Period {
  readonly status: SyncStatus
  /** The arrival of what began it: from then on it was on show. */
  readonly beganAt: EpochMs
  readonly firstCheckAt: EpochMs
  readonly lastCheckAt: EpochMs
  readonly lastArrivedAt: EpochMs
  readonly checks: number
  /** How often checks that were due stayed out, */
  readonly gaps: number
  /** and how many did in all. */
  readonly missed: number
}

/** A period that is over, with what was on show in it: the newest report at its end, and the finding. */
export interface ClosedPeriod<Body = unknown> extends TargetState<Body> {
  readonly period: Period
  readonly endedAt: EpochMs
}

export function beginPeriod(received: Received): Period {
  const checkedAt = checkedBy(received)
  const arrivedAt = received.arrivedAt.getTime()
  return {
    status: received.report.status,
    beganAt: arrivedAt,
    firstCheckAt: checkedAt,
    lastCheckAt: checkedAt,
    lastArrivedAt: arrivedAt,
    checks: 1,
    gaps: 0,
    missed: 0,
  }
}

export function continuePeriod(period: Period, received: Received): Period {
  const missed = missedBefore(period, received)
  // Field by field: V8 gives an object that begins as a copy of another a second one for what is added to it.
  return {
    status: period.status,
    beganAt: period.beganAt,
    firstCheckAt: period.firstCheckAt,
    lastCheckAt: checkedBy(received),
    lastArrivedAt: received.arrivedAt.getTime(),
    checks: period.checks + 1,
    gaps: period.gaps + (missed > 0 ? 1 : 0),
    missed: period.missed + missed,
  }
}

/** How many checks were due between a period's newest arrival and the next one. */
function missedBefore({ lastArrivedAt }: Period, { report, arrivedAt }: Received): number {
  return Math.max(0, Math.round((arrivedAt.getTime() - lastArrivedAt) / report.periodMs) - 1)
}

/** The target was STALE before this report came: what it said until then no longer counted. */
export function isInterrupted(period: Period, promisedPeriodMs: number, { arrivedAt }: Received): boolean {
  return arrivedAt.getTime() - period.lastArrivedAt > staleAfterMs(promisedPeriodMs)
}
