import { diffWordsWithSpace } from 'diff'

/** A line of a difference. `parts`: its text in pieces; those that are `marked` are what changed in it. */
export interface DifferenceLine {
  readonly kind: 'removed' | 'added' | 'same' | 'place'
  readonly parts: readonly { readonly text: string; readonly isMarked: boolean }[]
}

// Comparing word by word takes time that grows with the square of the line.
const MAX_COMPARED = 2_000

/** Reads a unified difference, and marks the words that changed where one line took the place of another. */
export function linesOfDifference(text: string): DifferenceLine[] {
  const lines: DifferenceLine[] = []
  let removed: string[] = []
  let added: string[] = []

  function settle() {
    const isPaired = removed.length === added.length
    const pairs = removed.map((line, index) => (isPaired ? compared(line, added[index] ?? '') : null))
    removed.forEach((line, index) => {
      lines.push({ kind: 'removed', parts: pairs[index]?.before ?? plain(line) })
    })
    added.forEach((line, index) => {
      lines.push({ kind: 'added', parts: pairs[index]?.after ?? plain(line) })
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
      removed.push(line.slice(1))
    } else if (!isPlace && line.startsWith('+')) added.push(line.slice(1))
    else {
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
  if (before.length + after.length > MAX_COMPARED) return null
  const changes = diffWordsWithSpace(before, after)
  const side = (without: 'added' | 'removed') =>
    changes.filter((one) => !one[without]).map((one) => ({ text: one.value, isMarked: one.added || one.removed }))
  return { before: side('added'), after: side('removed') }
}
