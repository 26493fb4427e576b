import { readFileSync, writeFileSync } from 'node:fs'
import type { Goal } from './goal.ts'
import { type Spread, spreadOf } from './spread.ts'

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A number with as many digits as it deserves. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

export function spreadText(spread: Spread | null): string {
  return spread === null ? '–' : `${figure(spread.min)} / **${figure(spread.median)}** / ${figure(spread.max)}`
}

/** minimum / median / maximum of what was measured. */
export function spreadTextOf(values: readonly (number | null)[]): string {
  return spreadText(spreadOf(values.filter((value) => value !== null)))
}

export function goalsTable(goals: readonly Goal[]): Table {
  return {
    head: ['must show', 'needed', 'reached: min / **median** / max', ''],
    rows: goals.map(({ what, needed, reached, isMet }) => [
      what,
      needed,
      spreadText(reached),
      isMet === null ? '' : isMet ? 'yes' : '**no**',
    ]),
  }
}

export function tableText({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Where a document has room for the results of one benchmark. */
function marksOf(name: string) {
  return { begin: `<!-- results of ${name} -->`, end: `<!-- end of ${name} -->` }
}

/** Throws a sentence when the document has no place for the results. Asked first, so that no run is in vain. */
export function mustHavePlace(path: string, name: string): void {
  const { begin, end } = marksOf(name)
  const text = readFileSync(path, 'utf8')
  if (text.indexOf(begin) === -1 || text.indexOf(end) < text.indexOf(begin)) {
    throw new Error(`${path} has no place for the results: it must have the lines ${begin} and ${end}`)
  }
}

/** Puts the results where they belong in a document, so that it holds nothing but what a command has printed. */
export function replaceResults(path: string, name: string, results: string): void {
  const { begin, end } = marksOf(name)
  const text = readFileSync(path, 'utf8')
  const before = text.slice(0, text.indexOf(begin) + begin.length)
  writeFileSync(path, `${before}\n${results}\n${text.slice(text.indexOf(end))}`)
}
