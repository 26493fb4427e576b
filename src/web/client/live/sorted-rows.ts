import type { StatusRow } from '../../../contract/status-json.ts'

/** A target's key and its row, in order of key. */
export type SortedRows = readonly (readonly [key: string, row: StatusRow])[]

/**
 * Rows with changes in them: a new row for a key, or null where the target is gone. One walk through what is sorted
 * already: sorting fifty thousand rows anew for each part in which they arrive would take longer than all the rest.
 */
export function withChanges(rows: SortedRows, changes: ReadonlyMap<string, StatusRow | null>): SortedRows {
  const changed = [...changes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const merged: (readonly [string, StatusRow])[] = []
  let next = 0
  for (const [key, row] of changed) {
    for (let before = rows[next]; before !== undefined && before[0] < key; before = rows[++next]) merged.push(before)
    if (rows[next]?.[0] === key) next++
    if (row !== null) merged.push([key, row])
  }
  for (let rest = rows[next]; rest !== undefined; rest = rows[++next]) merged.push(rest)
  return merged
}
