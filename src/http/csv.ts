import type { TObject } from 'typebox'

export const CSV_TYPE = 'text/csv; charset=utf-8'

type Cell = string | number | boolean | null

/** Rows as CSV (RFC 4180): the columns are those of the schema, also when there are no rows. */
export function csvOf(schema: TObject, rows: readonly Readonly<Record<string, Cell>>[]): string {
  const columns = Object.keys(schema.properties)
  const lines = [columns.join(','), ...rows.map((row) => columns.map((name) => cellOf(row[name] ?? null)).join(','))]
  return lines.map((line) => `${line}\r\n`).join('')
}

// A spreadsheet runs what begins like a formula, and whoever can name a file on a server could write one. The quote
// makes it text there. Numbers are ours, and a minus before one is a minus.
const FORMULA = /^[=+\-@\t\r\n\0＝＋－＠]/

function cellOf(value: Cell): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
