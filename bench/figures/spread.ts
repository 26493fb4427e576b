/** One machine's figures vary from round to round: none is quoted without its spread. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Null when there is nothing to tell. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? 0
  const middle = (sorted.length - 1) / 2
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) }
}

/** By round, where both are known. */
export function ratiosOf(above: readonly (number | null)[], below: readonly (number | null)[]): number[] {
  return above.flatMap((value, round) => {
    const divisor = below[round] ?? null
    return value === null || divisor === null || divisor === 0 ? [] : [value / divisor]
  })
}
