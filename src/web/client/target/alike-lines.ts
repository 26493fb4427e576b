// Comparing each line of one side with each of the other: beyond this nobody sees which belong together, either.
const MAX_PAIRS = 2_500
const LEAST_ALIKE = 0.3

/**
 * Which added line took the place of which removed one, in their order: the most alike ones. Null where none did. As
 * many as came went: each took the place of one.
 *
 * @returns for each removed line the number of the added one
 */
export function pairsOf(removed: readonly string[], added: readonly string[]): (number | null)[] {
  if (removed.length === added.length) return removed.map((_, index) => index)
  if (removed.length * added.length > MAX_PAIRS) return removed.map(() => null)
  const [before, after] = [removed.map(wordsOf), added.map(wordsOf)]
  // best[i][j]: how alike the pairs are that can be made of what is left from line i and line j on.
  const best = Array.from({ length: removed.length + 1 }, () => new Float64Array(added.length + 1))
  const alike = before.map((one) => after.map((other) => likeness(one, other)))
  const at = (i: number, j: number) => best[i]?.[j] ?? 0
  const withPair = (i: number, j: number) => {
    const score = alike[i]?.[j] ?? 0
    return score < LEAST_ALIKE ? 0 : score + at(i + 1, j + 1)
  }
  for (let i = removed.length - 1; i >= 0; i--)
    for (let j = added.length - 1; j >= 0; j--)
      best[i]?.fill(Math.max(withPair(i, j), at(i + 1, j), at(i, j + 1)), j, j + 1)

  let next = 0
  return removed.map((_, i) => {
    while (next < added.length && at(i, next) > at(i + 1, next)) {
      if (at(i, next) === withPair(i, next)) return next++
      next++
    }
    return null
  })
}

interface Words {
  readonly counts: ReadonlyMap<string, number>
  readonly total: number
}

function wordsOf(line: string): Words {
  const counts = new Map<string, number>()
  const words = line.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, total: words.length }
}

/** From 0, no word in common, to 1, the same words: https://en.wikipedia.org/wiki/Dice-S%C3%B8rensen_coefficient */
function likeness(one: Words, other: Words): number {
  if (one.total + other.total === 0) return 0
  let common = 0
  for (const [word, count] of one.counts) common += Math.min(count, other.counts.get(word) ?? 0)
  return (2 * common) / (one.total + other.total)
}
