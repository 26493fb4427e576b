import type { EpochMs } from '../domain/report.ts'

/** Moments at equal distances, the same for all targets. */
export interface Buckets {
  readonly times: readonly EpochMs[]
  /** The last moment that the last bucket is about. */
  readonly until: EpochMs
}

export interface Wish {
  readonly from: EpochMs
  readonly to: EpochMs
  /** How far apart; null: as near as `maxPoints` allows. */
  readonly stepMs: number | null
  /** No more than so many, whatever the step. */
  readonly maxPoints: number
}

const S = 1_000
const M = 60 * S
const H = 60 * M
const D = 24 * H

// Distances that a reader can name. Beyond a day in whole days.
const STEPS = [
  S,
  5 * S,
  10 * S,
  15 * S,
  30 * S,
  M,
  2 * M,
  5 * M,
  10 * M,
  15 * M,
  30 * M,
  H,
  2 * H,
  3 * H,
  6 * H,
  12 * H,
]

/**
 * Cuts a span of time into buckets.
 *
 * They begin at multiples of the step, so that a dashboard which asks again a minute later gets the same buckets and
 * nothing in its graph moves. Only the first one begins where the span does.
 */
export function bucketsIn({ from, to, stepMs, maxPoints }: Wish): Buckets {
  const shortest = Math.max(stepMs ?? 0, (to - from) / maxPoints, S)
  const days = Math.ceil(shortest / D)
  const steps = [...(stepMs === null ? [] : [stepMs]), ...STEPS, days * D, (days + 1) * D]
  const step = steps.find((one) => one >= shortest && pointsOf(from, to, one) <= maxPoints)
  if (step === undefined) return { times: [from], until: to }

  const first = Math.floor(from / step)
  return {
    times: Array.from({ length: pointsOf(from, to, step) }, (_, index) => Math.max(from, (first + index) * step)),
    until: to,
  }
}

function pointsOf(from: EpochMs, to: EpochMs, step: number): number {
  return Math.floor(to / step) - Math.floor(from / step) + 1
}
