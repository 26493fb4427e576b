import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TObject } from 'typebox'

export const CSV_TYPE = 'text/csv; charset=utf-8'

type Cell = string | number | boolean | null

// Writing so many takes a few milliseconds; then the event loop gets its turn.
const ROWS_AT_ONCE = 500

/** Rows as CSV (RFC 4180): the columns are those of the schema, also when there are no rows. */
export async function csvOf(schema: TObject, rows: readonly Readonly<Record<string, Cell>>[]): Promise<string> {
  const columns = Object.keys(schema.properties)
  const lines = [columns.join(',')]
  for (const [index, row] of rows.entries()) {
    if (index % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn()
    lines.push(columns.map((name) => cellOf(row[name] ?? null)).join(','))
  }
  return `${lines.join('\r\n')}\r\n`
}

// A spreadsheet runs what begins like a formula, and whoever can name a file on a server could write one. The quote
// makes it text there. Numbers are ours, and a minus before one is a minus. Where people write a comma in numbers, a
// spreadsheet takes the semicolon for the end of a cell, and a quote after a comma for none: there a formula may begin
// after each semicolon and line break, too.
const FORMULA = /^(?=[=+\-@\t\r\n\0＝＋－＠])|(?<=[;\r\n])(?=["\s]*[=+\-@\0＝＋－＠])/g

function cellOf(value: Cell): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = value.replace(FORMULA, "'")
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
