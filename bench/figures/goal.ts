import { type Spread, spreadOf } from './spread.ts'

/** Something that must show, and whether it did. */
export interface Goal {
  readonly what: string
  readonly needed: string
  readonly reached: Spread | null
  /** Null: nothing was asked, it only says where a limit is. */
  readonly isMet: boolean | null
}

/** The median decides: single rounds are at the mercy of the machine. */
export function atLeast(least: number, what: string, ratios: readonly number[]): Goal {
  const reached = spreadOf(ratios)
  return { what, needed: `≥ ${least} ×`, reached, isMet: reached !== null && reached.median >= least }
}

/** Of times in which a person waits: the median decides here too. */
export function usuallyWithin(most: number, unit: string, what: string, values: readonly number[]): Goal {
  const reached = spreadOf(values)
  return { what, needed: `≤ ${most} ${unit}`, reached, isMet: reached !== null && reached.median <= most }
}

export function lowerThanPeer(what: string, ratios: readonly number[]): Goal {
  const reached = spreadOf(ratios)
  return { what, needed: '< 1 ×', reached, isMet: reached !== null && reached.median < 1 }
}

export function justSaid(what: string, ratios: readonly number[]): Goal {
  return { what, needed: '–', reached: spreadOf(ratios), isMet: null }
}

/** Here every single figure counts. */
export function neverAbove(most: number, unit: string, what: string, values: readonly number[]): Goal {
  const reached = spreadOf(values)
  return { what, needed: `≤ ${most} ${unit}`, reached, isMet: reached !== null && reached.max <= most }
}
