import type { PeriodRow } from '../../../contract/target-history.ts'
import { offsetIn, type Zone } from '../parts/time-words.ts'

/** A stretch of the timeline. `silent`: no report came in time, so nothing is known. */
export interface Stretch {
  readonly kind: PeriodRow['sync_status'] | 'silent'
  readonly from: number
  readonly to: number
  readonly driftCount: number
  readonly checks: number
  readonly missed: number
}

export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * What the timeline is drawn over: up to now as long as the moment that is shown lies in it, so that one can go on from
 * there, and otherwise up to that moment.
 */
export function spanFor(lengthMs: number, at: number | null, now: number): Span {
  const to = at === null || at > now - lengthMs ? now : at
  return { from: to - lengthMs, to }
}

// The page's clock tells whole seconds: a report of this one is not one of later.
const CLOCK_MS = 1_000

/** What a target showed in a span, the oldest first. Where it has no stretch, it was not known at all. */
export function stretchesIn({ from, to }: Span, periods: readonly PeriodRow[]): Stretch[] {
  const stretches: Stretch[] = []
  for (const period of periods) {
    const began = Date.parse(period.began_at)
    const ended = period.ended_at === null ? to : Date.parse(period.ended_at)
    const silentFrom = period.stale_since === null ? ended : Math.min(ended, Date.parse(period.stale_since))
    const { drift_count: driftCount } = period
    const isKnown = Date.parse(period.last_arrival) <= to + CLOCK_MS // or later checks are among those that were counted
    const [checks, missed] = isKnown ? [period.checks, period.missed_checks] : [0, 0]
    add({ kind: period.sync_status, from: began, to: silentFrom, driftCount, checks, missed })
    add({ kind: 'silent', from: silentFrom, to: ended, driftCount, checks: 0, missed: 0 })
  }
  return stretches.sort((a, b) => a.from - b.from)

  function add(stretch: Stretch) {
    const cut = { ...stretch, from: Math.max(from, stretch.from), to: Math.min(to, stretch.to) }
    if (cut.to > cut.from) stretches.push(cut)
  }
}

export interface Part extends Omit<Stretch, 'kind'> {
  readonly kind: Stretch['kind'] | 'nothing'
}

/** Stretches and what lies between them, of which nothing is known, the oldest first. */
export function partsIn({ from, to }: Span, stretches: readonly Stretch[]): Part[] {
  const parts: Part[] = []
  let end = from
  const addGap = (until: number) => {
    if (until - end > CLOCK_MS)
      parts.push({ kind: 'nothing', from: end, to: until, driftCount: 0, checks: 0, missed: 0 })
  }
  for (const stretch of stretches) {
    addGap(stretch.from)
    parts.push(stretch)
    end = Math.max(end, stretch.to)
  }
  addGap(to)
  return parts
}

/** How long each kind lasted, in milliseconds. */
export function sumsOf(stretches: readonly Stretch[]): Record<Stretch['kind'], number> {
  const sums = { SYNCED: 0, OUT_OF_SYNC: 0, UNKNOWN: 0, silent: 0 }
  for (const { kind, from, to } of stretches) sums[kind] += to - from
  return sums
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const STEPS = [HOUR / 4, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY]
const MOST_TICKS = 8

/** Round moments of a zone in a span. */
export function ticksIn(zone: Zone, { from, to }: Span): number[] {
  const step = STEPS.find((one) => (to - from) / one <= MOST_TICKS) ?? 90 * DAY
  const zoneMs = -60_000 * offsetIn(zone, to)
  const ticks: number[] = []
  for (let at = Math.ceil((from - zoneMs) / step) * step + zoneMs; at <= to; at += step) ticks.push(at)
  return ticks
}
