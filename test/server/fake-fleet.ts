import type { Epoch } from '../../src/domain/epoch.ts'
import type { Target } from '../../src/domain/report.ts'
import type { Beginning, Change } from '../../src/stream/change-log.ts'

export interface FakeFleet {
  /** Its target was reported: it shows something new. */
  change(server: string): Change
  /** Nothing came for too long: it shows something new without a record. */
  silence(server: string): Change
  remove(server: string): Change
  readonly rowText: (target: Target) => string | null
  /** What each target shows now. */
  rows(): Map<string, unknown>
  beginning(): Beginning
  readonly epochs: () => readonly Epoch[]
}

/** Targets as a snapshot would show them, with rows of about so many bytes. */
export function createFakeFleet({ rowBytes = 0 } = {}): FakeFleet {
  let seq = 0
  let version = 0
  const rows = new Map<string, object>()
  const newest = new Map<string, Change & { seq: number }>()
  const padding = 'x'.repeat(rowBytes)

  function record(server: string, event: Change['event']) {
    const change = { target: { repo: 'fleet', server }, event, seq: ++seq }
    newest.delete(server)
    newest.set(server, change)
    if (event === 'removed') rows.delete(server)
    else rows.set(server, { repo: 'fleet', server, version: ++version, at: Date.now(), padding })
    return change
  }

  return {
    change: (server) => record(server, 'target'),
    remove: (server) => record(server, 'removed'),
    silence(server) {
      const row = rows.get(server)
      if (row !== undefined) rows.set(server, { ...row, version: ++version })
      return { target: { repo: 'fleet', server }, event: row === undefined ? 'removed' : 'target', seq: null }
    },
    rowText({ server }) {
      const row = rows.get(server)
      return row === undefined ? null : JSON.stringify(row)
    },
    rows: () => new Map([...rows].map(([server, row]) => [`fleet ${server}`, row])),
    epochs: () => [{ name: 'e1', after: -1 }],
    beginning: () => ({ seq, removalsKnownSince: 0, changes: [...newest.values()] }),
  }
}
