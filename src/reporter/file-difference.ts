import type { FileText } from '../drift/evidence.ts'
import { type Mark, masked } from '../redaction/redact.ts'
import { joinSpans, secretSpans } from '../redaction/secret-spans.ts'
import type { Span } from '../redaction/secret-words.ts'
import { compareLines, hunks, type Line, linesOf } from '../unified-difference.ts'

/** Why nothing of a difference is sent, for people. */
export const LEFT_OUT = {
  vault: 'the file comes from a vault',
  too_large: 'it is too large',
  binary: 'it is not text',
} as const

// src/contract/limits.ts says the same on the server's side.
const MAX_LENGTH = 65_536
// For the line that says what was cut.
const ROOM_FOR_REMARK = 100

/** What is known of a file's texts besides: what in them came from a vault. */
interface Needs {
  readonly vaulted: readonly string[]
  readonly mark: Mark
}

/**
 * How a file differs, as a unified difference from what Git has to what the server has, without secrets. Several texts
 * are those of several tasks, each of which would change the file as it is; their hunks follow one another.
 *
 * Secrets are looked for in the whole texts: the name that a value belongs to may stand far above it. The server sees
 * less of that, and looks once more.
 */
export function fileDifference(texts: readonly FileText[], needs: Needs): string {
  const lines = texts.flatMap((text) => [...hunks(shownLines(text, needs))])
  if (lines.length === 0) return ''
  const difference = ['--- in Git', '+++ on the server', ...lines].join('\n')
  return cut(readable(difference))
}

function shownLines({ server, git }: FileText, { vaulted, mark }: Needs): Line[] {
  const [before, after] = [linesOf(git), linesOf(server)]
  const forms = formsOf(vaulted)
  const [spansBefore, spansAfter] = [before, after].map((side) => {
    const bare = side.map((line) => line.replace(/\n$/, ''))
    return { all: secretSpans(bare), vaulted: bare.map((line) => [...places(line, forms)]) }
  })
  const lines = compareLines(before, after)

  // Compared as they are and shown without their secrets: two that look alike without them may differ in them.
  let [row, column] = [0, 0]
  const shown: { line: Line; spans: readonly Span[]; isVaulted: boolean }[] = lines.map((line) => {
    const [here, there] = [line.mark === '+' ? -1 : row++, line.mark === '-' ? -1 : column++]
    const found = [
      spansBefore?.all[here],
      spansBefore?.vaulted[here],
      spansAfter?.all[there],
      spansAfter?.vaulted[there],
    ]
    const isVaulted = (spansBefore?.vaulted[here]?.length ?? 0) + (spansAfter?.vaulted[there]?.length ?? 0) > 0
    return {
      line,
      spans: joinSpans(
        line.text,
        found.flatMap((some) => some ?? []),
        [],
      ),
      isVaulted,
    }
  })
  for (const block of changesIn(shown)) {
    const secret = block.filter(({ isVaulted }) => isVaulted)
    if (secret.length === 0) continue
    // In the place of a value from a vault stands another secret, which no vault knows.
    for (const one of block)
      if (!one.isVaulted) one.spans = joinSpans(one.line.text, one.spans, besides(one.line.text, secret))
  }
  return shown.map(({ line: { mark: side, text }, spans }) => ({ mark: side, text: masked(text, spans, mark) }))
}

/** Lines that differ and follow one another. */
function* changesIn<Item extends { readonly line: Line }>(items: readonly Item[]): Generator<Item[]> {
  let block: Item[] = []
  for (const item of items) {
    if (item.line.mark !== ' ') block.push(item)
    else if (block.length > 0) {
      yield block
      block = []
    }
  }
  if (block.length > 0) yield block
}

/** What a line has where one with a value from a vault has that: all of it, if they do not begin alike. */
function besides(text: string, vaulted: readonly { readonly line: Line; readonly spans: readonly Span[] }[]): Span[] {
  const to = text.trimEnd().length
  const alike = vaulted
    .map(({ line, spans }) => line.text.slice(0, spans[0]?.from ?? 0))
    .filter((beginning) => beginning.trim() !== '' && text.startsWith(beginning))
  const from = Math.max(text.length - text.trimStart().length, ...alike.map(({ length }) => length))
  return from < to ? [{ from, to }] : []
}

// Shorter ones would be found in every other word.
const MIN_VAULTED = 4

/** How values from a vault may be written in a file: as they are, for JSON, in an address, in base64. */
function formsOf(vaulted: readonly string[]): string[] {
  const forms = vaulted.flatMap((value) => [
    ...value.split('\n').map((line) => line.trim()),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
  ])
  return [...new Set(forms)].filter((form) => form.length >= MIN_VAULTED)
}

function* places(line: string, forms: readonly string[]): Generator<Span> {
  for (const form of forms) {
    for (let from = line.indexOf(form); from !== -1; from = line.indexOf(form, from + form.length)) {
      yield { from, to: from + form.length }
    }
  }
}

/** What a file holds must not move a cursor, and what is not UTF-8 came as halves of characters. */
function readable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]/gu, (character) => {
    if (character === '\n' || character === '\t') return character
    const code = character.charCodeAt(0)
    return `\\x${(code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code).toString(16).padStart(2, '0')}`
  })
}

/** Whole lines, and how many more there are. */
function cut(text: string): string {
  if (text.length <= MAX_LENGTH) return text
  const end = text.lastIndexOf('\n', MAX_LENGTH - ROOM_FOR_REMARK)
  return `${text.slice(0, end)}\n\\ Cut here: ${text.slice(end + 1).split('\n').length} more lines`
}

/** In the place of a difference. */
export function leftOut(reason: keyof typeof LEFT_OUT): string {
  return `\\ Left out: ${LEFT_OUT[reason]}`
}
