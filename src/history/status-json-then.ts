import { MAX_ROWS } from '../contract/row-lists.ts'
import type { StatusJson, StatusRow } from '../contract/status-json.ts'
import { formatExactTime } from '../contract/time.ts'
import { worstOf } from '../domain/effective-status.ts'
import type { EpochMs } from '../domain/report.ts'
import type { StateThen } from './state-then.ts'

/** What `GET /status.json` would have said at a moment. `states` are the worst first. */
export function statusJsonThen(states: readonly StateThen[], at: EpochMs): StatusJson {
  const [only, ...others] = states
  return {
    ...(only === undefined ? NOTHING : others.length === 0 ? ofOne(only) : ofSeveral(states)),
    target_count: states.length,
    items: states.slice(0, MAX_ROWS).map(({ row }) => row),
    items_truncated: states.length > MAX_ROWS,
    generated_at: formatExactTime(at),
  }
}

type RolledUp = Omit<StatusJson, 'target_count' | 'items' | 'items_truncated' | 'generated_at'>

const NOTHING: RolledUp = {
  repo: null,
  server: null,
  sync_status: 'UNKNOWN',
  drift_count: 0,
  files: [],
  last_check: null,
  reason: 'never_reported',
  freshness: null,
  age_seconds: null,
  contact_age_seconds: null,
  last_known: null,
  error: null,
  files_truncated: false,
}

function ofOne({ row, finding, lastKnown }: StateThen): RolledUp {
  return {
    repo: row.repo,
    server: row.server,
    sync_status: row.sync_status,
    drift_count: row.drift_count,
    files: finding?.report.body.files ?? [],
    last_check: row.last_check,
    reason: row.reason,
    freshness: row.freshness,
    age_seconds: row.age_seconds,
    contact_age_seconds: row.contact_age_seconds,
    last_known: lastKnown,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message },
    files_truncated: finding?.report.body.files_truncated ?? false,
  }
}

function ofSeveral(states: readonly StateThen[]): RolledUp {
  const rows = states.map(({ row }) => row)
  const files = filesOf(states)
  const status = worstOf(rows.map(({ sync_status }) => sync_status))
  return {
    repo: sharedBy(rows.map(({ repo }) => repo)),
    server: sharedBy(rows.map(({ server }) => server)),
    sync_status: status,
    drift_count: rows.reduce((sum, { drift_count }) => sum + drift_count, 0),
    files: files.slice(0, MAX_ROWS),
    last_check: known(rows, 'last_check', (a, b) => Date.parse(a) - Date.parse(b)),
    reason: status === 'UNKNOWN' ? firstOf(['stale', 'check_failed'], rows, 'reason') : null,
    freshness: rows.some(({ freshness }) => freshness === null)
      ? null
      : firstOf(['STALE', 'LATE', 'FRESH'], rows, 'freshness'),
    age_seconds: known(rows, 'age_seconds', (a, b) => b - a),
    contact_age_seconds: known(rows, 'contact_age_seconds', (a, b) => b - a),
    last_known: null,
    error: null,
    files_truncated:
      files.length > MAX_ROWS || states.some(({ finding }) => finding?.report.body.files_truncated ?? false),
  }
}

/** Those that are shown, and one more when there are more: there may be a hundred times as many. */
function filesOf(states: readonly StateThen[]): StatusJson['files'][number][] {
  const files: StatusJson['files'][number][] = []
  for (const { row, finding } of states) {
    const { repo, server } = row
    for (const file of finding?.report.body.files ?? []) {
      if (files.length > MAX_ROWS) return files
      files.push({ ...file, repo, server })
    }
  }
  return files
}

/** The first of all rows' values; null when one of them is not known, because it might be the first. */
function known<Key extends keyof StatusRow>(
  rows: readonly StatusRow[],
  key: Key,
  order: (a: NonNullable<StatusRow[Key]>, b: NonNullable<StatusRow[Key]>) => number,
): StatusRow[Key] | null {
  let first: NonNullable<StatusRow[Key]> | null = null
  for (const row of rows) {
    const value: StatusRow[Key] = row[key]
    if (value === null || value === undefined) return null
    if (first === null || order(value, first) < 0) first = value
  }
  return first
}

function firstOf<Key extends 'reason' | 'freshness'>(
  order: readonly NonNullable<StatusRow[Key]>[],
  rows: readonly StatusRow[],
  key: Key,
): StatusRow[Key] | null {
  const found = new Set<StatusRow[Key]>(rows.map((row) => row[key]))
  return order.find((value) => found.has(value)) ?? null
}

function sharedBy(names: readonly string[]): string | null {
  const [first] = names
  return first !== undefined && names.every((name) => name === first) ? first : null
}
