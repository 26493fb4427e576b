const CONTEXT_LINES = 3
// Texts that differ in more lines than this (the product of both sides) are shown as replaced whole: a table of this
// many numbers is 16 MiB.
const MAX_COMPARISONS = 4_000_000

type Mark = ' ' | '-' | '+'
/** A line with its line break, of the one text, of the other, or of both. */
export interface Line {
  readonly mark: Mark
  readonly text: string
}

/** What makes `after` of `before`, as `diff -u` shows it. Empty when they are the same. */
export function unifiedDifference(path: string, before: string, after: string): string {
  if (before === after) return ''
  const lines = compareLines(linesOf(before), linesOf(after))
  return [`--- a/${path}`, `+++ b/${path}`, ...hunks(lines)].join('\n')
}

/** With their line breaks, so that a missing one at the end is a difference, too. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** Every line of both texts, those of the one before those of the other where they differ. */
export function compareLines(before: readonly string[], after: readonly string[]): Line[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++

  const same = (text: string): Line => ({ mark: ' ', text })
  return [
    ...before.slice(0, head).map(same),
    ...compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ]
}

/** Keeps as many lines as can be kept: the longest common subsequence. */
function compareMiddle(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1
  const isTooLarge = before.length * after.length > MAX_COMPARISONS
  // kept[row * width + column]: how many lines can be kept of before from `row` on and of after from `column` on.
  const kept = new Uint32Array(isTooLarge ? 0 : (before.length + 1) * width)
  const at = (row: number, column: number) => kept[row * width + column] ?? 0
  if (!isTooLarge) {
    for (let row = before.length - 1; row >= 0; row--) {
      for (let column = after.length - 1; column >= 0; column--) {
        kept[row * width + column] =
          before[row] === after[column]
            ? at(row + 1, column + 1) + 1
            : Math.max(at(row + 1, column), at(row, column + 1))
      }
    }
  }

  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < before.length || column < after.length) {
    const [old, fresh] = [before[row], after[column]]
    if (!isTooLarge && old !== undefined && old === fresh) {
      lines.push({ mark: ' ', text: old })
      row++
      column++
    } else if (old !== undefined && (fresh === undefined || at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ mark: '-', text: old })
      row++
    } else {
      lines.push({ mark: '+', text: fresh ?? '' })
      column++
    }
  }
  return lines
}

/** The lines that differ, with three round them. */
export function* hunks(lines: readonly Line[]): Generator<string> {
  const changed = lines.flatMap(({ mark }, index) => (mark === ' ' ? [] : [index]))
  let next = 0
  while (next < changed.length) {
    const begin = Math.max(0, (changed[next] ?? 0) - CONTEXT_LINES)
    // Two changes share a hunk when the lines between them would be shown by both.
    while (next + 1 < changed.length && (changed[next + 1] ?? 0) - (changed[next] ?? 0) <= 2 * CONTEXT_LINES + 1) next++
    const end = Math.min(lines.length, (changed[next] ?? 0) + CONTEXT_LINES + 1)
    next++

    const hunk = lines.slice(begin, end)
    yield `@@ -${range(lines, begin, hunk, '-')} +${range(lines, begin, hunk, '+')} @@`
    for (const { mark, text } of hunk)
      yield text.endsWith('\n') ? `${mark}${text.slice(0, -1)}` : `${mark}${text}\n\\ No newline at end of file`
  }
}

/** Where a hunk begins on this side, and how many of its lines are there. */
function range(lines: readonly Line[], begin: number, hunk: readonly Line[], side: Mark): string {
  const here = (some: readonly Line[]) => some.filter(({ mark }) => mark === ' ' || mark === side).length
  const [skipped, count] = [here(lines.slice(0, begin)), here(hunk)]
  // diff names the line before an empty range.
  const first = count === 0 ? skipped : skipped + 1
  return count === 1 ? `${first}` : `${first},${count}`
}
