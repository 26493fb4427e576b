import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StatusJson } from './status-json.ts'

// Writing so many rows takes a few milliseconds; then the event loop gets its turn, so that reports come in meanwhile.
const ROWS_AT_ONCE = 500

/** `JSON.stringify` of a list that may be long. */
export async function rowsText(rows: readonly object[]): Promise<string> {
  const parts: string[] = []
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    if (at > 0) await nextTurn()
    parts.push(JSON.stringify(rows.slice(at, at + ROWS_AT_ONCE)).slice(1, -1))
  }
  return `[${parts.join(',')}]`
}

/** `JSON.stringify` of a status that may be about many targets. */
export async function statusJsonText(status: StatusJson): Promise<string> {
  if (status.target_count <= 1) return JSON.stringify(status) // a `last_known` has `files`, too
  // Inside a JSON string the quotes would be escaped: each of the two stands in the frame once.
  const [start = '', rest = ''] = JSON.stringify({ ...status, files: [], items: [] }).split('"files":[]')
  const [middle = '', end = ''] = rest.split('"items":[]')
  return `${start}"files":${await rowsText(status.files)}${middle}"items":${await rowsText(status.items)}${end}`
}
