/** How far the newest report is from what was promised. Derived at each look, never stored. */
export type Freshness = 'FRESH' | 'LATE' | 'STALE'

/** What the requirement's cron promises: a check every two minutes. */
export const DEFAULT_PERIOD_MS = 120_000

// Woodpecker's cron wakes once a minute and starts at most ten jobs, so that a
// two-minute schedule gives gaps of three minutes plus the queue. One period of
// grace would alarm on a healthy installation.
const GRACE_PERIODS = 1.5

/** Milliseconds without contact after which a target is STALE. */
export function staleAfterMs(periodMs: number): number {
  return periodMs * (1 + GRACE_PERIODS)
}

export interface Contact {
  /** Milliseconds since the newest report arrived, by a monotonic clock. */
  readonly silentMs: number
  readonly periodMs: number
  /** How old the report was when it arrived, in milliseconds; negative when the reporter's clock is ahead. */
  readonly ageOnArrivalMs: number
}

export function freshnessOf({ silentMs, periodMs, ageOnArrivalMs }: Contact): Freshness {
  if (silentMs > staleAfterMs(periodMs)) return 'STALE'
  return silentMs > periodMs || arrivedTooOld({ periodMs, ageOnArrivalMs }) ? 'LATE' : 'FRESH'
}

/** An old report is shown as it was sent, but nobody may take it for a fresh one. */
export function arrivedTooOld({ periodMs, ageOnArrivalMs }: Omit<Contact, 'silentMs'>): boolean {
  return ageOnArrivalMs > staleAfterMs(periodMs)
}
