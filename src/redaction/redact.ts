import { joinSpans, type Known, secretSpans } from './secret-spans.ts'
import type { Span } from './secret-words.ts'

/** Writes what stands in the place of a secret. */
export type Mark = (secret: string) => string

/** For whoever has no key: it says that something was there, and not whether it is the same as elsewhere. */
export function plainMark(): string {
  return '‹redacted›'
}

/** Takes the secrets out of a text. What is redacted already stays as it is. */
export function redactText(text: string, mark: Mark = plainMark): string {
  return redactLines(text, mark, new Map())
}

function redactLines(text: string, mark: Mark, known: Known): string {
  const lines = text.split('\n')
  const spans = secretSpans(lines, known)
  if (spans.every((some) => some.length === 0)) return text
  return lines.map((line, number) => masked(line, spans[number] ?? [], mark)).join('\n')
}

interface DiffLine {
  readonly sign: string
  readonly text: string
}

/**
 * Takes the secrets out of a unified difference. Each hunk is read twice, as the one side has it and as the other: a
 * name may stand in a line that both have, and its values in two that follow. In a line of both, what either reading
 * found is taken out.
 */
export function redactDifference(text: string, mark: Mark = plainMark): string {
  const known: Known = new Map()
  const lines = text.split('\n')
  const hasHunks = lines.some((line) => line.startsWith('@@'))
  // What has signs and no places may be a difference all the same, or a text whose lines begin like one.
  if (!hasHunks) return redactLines(redactHunk(lines.map(signed), mark, known).join('\n'), mark, known)

  const shown: string[][] = []
  let hunk: DiffLine[] = []
  for (const line of lines) {
    const place = /^@@[^@]{0,100}@@/.exec(line)?.[0]
    if (place === undefined) hunk.push(signed(line))
    else {
      shown.push(redactHunk(hunk, mark, known))
      // Behind the place, some write the line that the hunk belongs to.
      hunk = [{ sign: place, text: line.slice(place.length) }]
    }
  }
  shown.push(redactHunk(hunk, mark, known))
  return shown.flat().join('\n')
}

function signed(line: string): DiffLine {
  return '-+ '.includes(line.charAt(0)) ? { sign: line.slice(0, 1), text: line.slice(1) } : { sign: '', text: line }
}

function redactHunk(hunk: readonly DiffLine[], mark: Mark, known: Known): string[] {
  const [before, after] = [spansWithout('+', hunk, known), spansWithout('-', hunk, known)]
  return hunk.map(({ sign, text }, number) => {
    const spans = joinSpans(text, before[number] ?? [], after[number] ?? [])
    return sign + masked(text, spans, mark)
  })
}

/** The spans of one side, by the number of the line in the hunk. */
function spansWithout(sign: '-' | '+', hunk: readonly DiffLine[], known: Known): (readonly Span[])[] {
  const isHere = (line: DiffLine) => line.sign !== sign && line.text !== '\\ No newline at end of file'
  const found = secretSpans(
    hunk.filter(isHere).map(({ text }) => text),
    known,
  )
  let next = 0
  return hunk.map((line) => (isHere(line) ? (found[next++] ?? []) : []))
}

export function masked(line: string, spans: readonly Span[], mark: Mark): string {
  if (spans.length === 0) return line
  let result = ''
  let at = 0
  for (const { from, to } of spans) {
    result += line.slice(at, from) + mark(line.slice(from, to))
    at = to
  }
  return result + line.slice(at)
}
