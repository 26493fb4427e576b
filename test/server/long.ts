import { it, type TestContext } from 'node:test'

/** `npm run test:long` gives each of these tests its full length. The gate has to be done in minutes. */
export const LONG = process.env.LONG === '1'

/** For what has no short form. Otherwise it is absent, not skipped: in CI nothing may be skipped. */
export function itTakesLong(name: string, run: (t: TestContext) => Promise<void>): void {
  if (LONG) it(name, run)
}

export function lengthOf(lengths: { readonly gate: number; readonly long: number }): number {
  return LONG ? lengths.long : lengths.gate
}

/** The value below which so large a part of them lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
