import { createHash } from 'node:crypto'
import { CannotStart } from '../domain/cannot-start.ts'
import { type Received, SYNC_STATUSES, type SyncStatus, type Target } from '../domain/report.ts'
import { fold, type TargetState } from '../domain/target-state.ts'
import { openDatabaseFile } from './sqlite-file.ts'

/** A report on its way to the disk: flat, and its body already text, so that it crosses to the worker cheaply. */
export interface ReportRow extends Target {
  readonly status: SyncStatus
  readonly checkedAt: number
  readonly arrivedAt: number
  readonly driftCount: number
  readonly periodMs: number
  readonly body: string
}

/** The bodies and arrivals that a target's state is rebuilt from. */
export interface StateRow {
  readonly newest: { readonly body: string; readonly arrivedAt: number }
  readonly lastKnown: { readonly body: string; readonly arrivedAt: number } | null
}

export interface SqliteDatabase {
  /** One transaction. For each report the arrival of the same content before; null when it was stored. */
  append(rows: readonly ReportRow[]): (number | null)[]
  latest(): StateRow[]
  checkWritable(): void
  close(): void
}

/** Everything that is said in SQL, synchronously: it runs in the store's worker. */
export function openSqliteDatabase(path: string): SqliteDatabase {
  const db = openDatabaseFile(path)

  const findTarget = db.prepare(`
    SELECT target.id,
      newest.id AS newest_id, newest.status AS newest_status,
      newest.checked_at AS newest_checked_at, newest.arrived_at AS newest_arrived_at,
      known.id AS known_id, known.status AS known_status,
      known.checked_at AS known_checked_at, known.arrived_at AS known_arrived_at
    FROM target JOIN report newest ON newest.id = target.newest LEFT JOIN report known ON known.id = target.last_known
    WHERE repo = ? AND server = ?`)
  const addTarget = db.prepare('INSERT INTO target (repo, server) VALUES (?, ?)')
  const findSame = db.prepare('SELECT arrived_at FROM report WHERE target = ? AND digest = ?')
  const addReport = db.prepare(`
    INSERT INTO report (target, digest, status, checked_at, arrived_at, drift_count, period_ms, applied, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const setState = db.prepare('UPDATE target SET newest = ?, last_known = ? WHERE id = ?')
  const readStates = db.prepare(`
    SELECT repo, server,
      newest.body AS newest_body, newest.arrived_at AS newest_arrived_at, newest.digest AS newest_digest,
      known.body AS known_body, known.arrived_at AS known_arrived_at, known.digest AS known_digest
    FROM target JOIN report newest ON newest.id = target.newest LEFT JOIN report known ON known.id = target.last_known`)
  const touch = db.prepare(
    'INSERT INTO write_check VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET checked = (checked + 1) % 1000000',
  )

  function appendOne(row: ReportRow): number | null {
    const found = findTarget.get(row.repo, row.server)
    const digest = digestOf(row.body)
    const same = found && findSame.get(Number(found.id), digest)
    if (same) return Number(same.arrived_at)

    const received = receivedFrom(row)
    const { state, applied } = fold(found && stateFrom(row, found), received)

    const target = found ? Number(found.id) : Number(addTarget.run(row.repo, row.server).lastInsertRowid)
    const { status, checkedAt, arrivedAt, driftCount, periodMs, body } = row
    const added = addReport.run(
      target,
      digest,
      status,
      checkedAt,
      arrivedAt,
      driftCount,
      periodMs,
      applied ? 1 : 0,
      body,
    )
    const idOf = (one: Received<number>) => (one === received ? Number(added.lastInsertRowid) : one.report.body)
    setState.run(idOf(state.newest), state.lastKnown && idOf(state.lastKnown), target)
    return null
  }

  function inTransaction<Result>(work: () => Result): Result {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      // After a full disk or a failed fsync SQLite has rolled back by itself, after other errors it has not. The
      // connection is kept: it writes the same pages of its log again next time, whereas one that is opened anew would
      // trust pages that never reached the disk.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  return {
    append: (rows) => inTransaction(() => rows.map(appendOne)),

    latest: () =>
      readStates.all().map((row) => ({
        newest: intact(path, row, 'newest'),
        lastKnown: row.known_body === null ? null : intact(path, row, 'known'),
      })),

    checkWritable: () => {
      inTransaction(() => touch.run())
    },

    close: () => db.close(),
  }
}

type Row = Record<string, unknown>

// The rules never look at a body; here it is the number of the row that holds it.
const NOT_STORED_YET = -1

function receivedFrom(row: ReportRow): Received<number> {
  const { repo, server, status, checkedAt, arrivedAt, driftCount, periodMs } = row
  return {
    report: {
      target: { repo, server },
      status,
      checkedAt: new Date(checkedAt),
      driftCount,
      periodMs,
      body: NOT_STORED_YET,
    },
    arrivedAt: new Date(arrivedAt),
  }
}

function stateFrom({ repo, server }: Target, row: Row): TargetState<number> {
  const read = (name: 'newest' | 'known'): Received<number> => ({
    report: {
      target: { repo, server },
      status: SYNC_STATUSES.find((status) => status === row[`${name}_status`]) ?? 'UNKNOWN',
      checkedAt: new Date(Number(row[`${name}_checked_at`])),
      driftCount: 0,
      periodMs: 0,
      body: Number(row[`${name}_id`]),
    },
    arrivedAt: new Date(Number(row[`${name}_arrived_at`])),
  })
  return { newest: read('newest'), lastKnown: row.known_id === null ? null : read('known') }
}

// A damaged value passes SQLite's own check. What is about to be shown must be what was sent.
function intact(path: string, row: Row, name: 'newest' | 'known'): { body: string; arrivedAt: number } {
  const body = String(row[`${name}_body`])
  const digest = row[`${name}_digest`]
  if (!(digest instanceof Uint8Array) || !digestOf(body).equals(digest)) {
    throw new CannotStart(
      `The database ${path} is damaged (a report of ${row.repo} on ${row.server} is not what was stored): restore a backup`,
    )
  }
  return { body, arrivedAt: Number(row[`${name}_arrived_at`]) }
}

function digestOf(body: string): Buffer {
  return createHash('sha256').update(body).digest()
}
