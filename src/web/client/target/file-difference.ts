import { diffWordsWithSpace } from 'diff'
import { pairsOf } from './alike-lines.ts'

/** A line of a difference. `parts`: its text in pieces; those that are `marked` are what changed in it. */
export interface DifferenceLine {
  /** `note`: what is said of the difference, as that it was cut. */
  readonly kind: 'removed' | 'added' | 'same' | 'place' | 'note'
  readonly parts: readonly { readonly text: string; readonly isMarked: boolean }[]
}

// Comparing word by word takes time that grows with the square of the line.
const MAX_COMPARED = 2_000

interface Line {
  readonly text: string
  /** What is said of it below it, such as that no line end follows. */
  readonly notes: string[]
}

/** Reads a unified difference, and marks the words that changed where one line took the place of another. */
export function linesOfDifference(text: string): DifferenceLine[] {
  const lines: DifferenceLine[] = []
  let removed: Line[] = []
  let added: Line[] = []

  function put(kind: 'removed' | 'added', { text: line, notes }: Line, parts: DifferenceLine['parts'] = plain(line)) {
    lines.push({ kind, parts })
    for (const note of notes) lines.push({ kind: 'note', parts: plain(note) })
  }

  function settle() {
    const textOf = (line: Line) => line.text
    const pairs = removed.length * added.length === 0 ? [] : pairsOf(removed.map(textOf), added.map(textOf))
    const after = new Map<number, DifferenceLine['parts']>()
    removed.forEach((line, index) => {
      const partner = pairs[index] ?? null
      const sides = partner === null ? null : compared(line.text, added[partner]?.text ?? '')
      if (partner !== null && sides !== null) after.set(partner, sides.after)
      put('removed', line, sides?.before)
    })
    added.forEach((line, index) => {
      put('added', line, after.get(index))
    })
    removed = []
    added = []
  }

  let isInHead = true // until the first place: from then on `---` begins a removed line that begins with `--`
  for (const line of text.split('\n')) {
    const isPlace = line.startsWith('@@') || (isInHead && /^(--- |\+\+\+ )/.test(line))
    if (line.startsWith('@@')) isInHead = false
    if (!isPlace && line.startsWith('-')) {
      if (added.length > 0) settle()
      removed.push({ text: line.slice(1), notes: [] })
    } else if (!isPlace && line.startsWith('+')) added.push({ text: line.slice(1), notes: [] })
    else if (line.startsWith('\\')) {
      const last = added.at(-1) ?? removed.at(-1)
      const note = line.slice(1).trimStart()
      if (last === undefined) lines.push({ kind: 'note', parts: plain(note) })
      else last.notes.push(note)
    } else {
      settle()
      if (isPlace) lines.push({ kind: 'place', parts: plain(line) })
      else if (line !== '') lines.push({ kind: 'same', parts: plain(line.replace(/^ /, '')) })
    }
  }
  settle()
  return lines
}

function plain(text: string) {
  return [{ text, isMarked: false }]
}

function compared(before: string, after: string) {
  if (before.length + after.length > MAX_COMPARED) return comparedEnds(before, after)
  const changes = diffWordsWithSpace(before, after)
  const side = (without: 'added' | 'removed') =>
    changes.filter((one) => !one[without]).map((one) => ({ text: one.value, isMarked: one.added || one.removed }))
  return { before: side('added'), after: side('removed') }
}

/** Of long lines: what is between the beginning and the end that both have. */
function comparedEnds(before: string, after: string) {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start++
  let end = 0
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++
  // No character of two halves is cut in two.
  if (/[\ud800-\udbff]/.test(before[start - 1] ?? '')) start--
  if (end > 0 && /[\udc00-\udfff]/.test(before.at(-end) ?? '')) end--
  const side = (line: string) =>
    [
      { text: line.slice(0, start), isMarked: false },
      { text: line.slice(start, line.length - end), isMarked: true },
      { text: line.slice(line.length - end), isMarked: false },
    ].filter((part) => part.text !== '')
  return { before: side(before), after: side(after) }
}
