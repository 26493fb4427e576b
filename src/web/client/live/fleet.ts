import type { StatusRow } from '../../../contract/status-json.ts'
import { keyOf } from './key.ts'
import { type SortedRows, withChanges } from './sorted-rows.ts'
import type { Connection, Told } from './told.ts'

/** What a page knows of the fleet. A new object whenever something changed. */
export interface Fleet {
  readonly connection: Connection
  /** The server's clock when it was last heard, in milliseconds since 1970. */
  readonly asOf: number | null
  /** How far the server's clock is ahead of this browser's, in milliseconds. */
  readonly clockAheadMs: number
  /** The whole fleet is known, so what is not in it is not there. */
  readonly isComplete: boolean
  /** In order of name. */
  readonly rows: readonly StatusRow[]
}

export const NOTHING_YET: Fleet = { connection: 'connecting', asOf: null, clockAheadMs: 0, isComplete: false, rows: [] }

interface Picture {
  sorted: SortedRows
  /** Since it was sorted. */
  readonly changes: Map<string, StatusRow | null>
}

/** Takes in what is told and keeps it as lists that never change, for whoever draws them. */
export function createFleet() {
  let known: Picture = { sorted: [], changes: new Map() }
  let incoming: Picture | null = null
  let fleet = NOTHING_YET
  let isSorted = true

  function take({ connection, asOf, clockAheadMs, isReset, isComplete, rows, removed }: Told): void {
    if (isReset) incoming = { sorted: [], changes: new Map() }
    const { changes } = incoming ?? known
    for (const row of rows) changes.set(keyOf(row), row)
    for (const target of removed) changes.set(keyOf(target), null)
    // What was known stays on show until everything was told anew: no page goes blank because a server restarted.
    const isNew = incoming === null || isComplete || !fleet.isComplete
    if (incoming !== null && isNew) {
      known = incoming
      if (isComplete) incoming = null
    }
    if (isNew && (isReset || rows.length > 0 || removed.length > 0 || isComplete)) isSorted = false
    fleet = {
      ...fleet,
      connection,
      asOf,
      clockAheadMs: clockAheadMs ?? fleet.clockAheadMs,
      isComplete: fleet.isComplete || isComplete,
    }
  }

  return {
    take,
    /** The same object until something was taken in. */
    read(): Fleet {
      if (!isSorted) {
        isSorted = true
        known.sorted = withChanges(known.sorted, known.changes)
        known.changes.clear()
        fleet = { ...fleet, rows: known.sorted.map(([, row]) => row) }
      }
      return fleet
    },
  }
}
