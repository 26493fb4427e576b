import type { StatusRow } from '../../src/contract/status-json.ts'

/** A row of a target in sync, with what a test is about put in its place. */
export function aRow(overrides: Partial<StatusRow> = {}): StatusRow {
  const status = overrides.sync_status ?? 'SYNCED'
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: status,
    status_code: status === 'SYNCED' ? 0 : status === 'OUT_OF_SYNC' ? 1 : 2,
    out_of_sync: status === 'OUT_OF_SYNC' ? 1 : 0,
    drift_count: 0,
    drifted_files: null,
    drift_id: null,
    modified_by: null,
    cause: null,
    last_check: '2026-04-21T10:30:00Z',
    since: '2026-04-21T10:00:00Z',
    drift_since: null,
    last_clean: null,
    age_seconds: 0,
    contact_age_seconds: 0,
    full_check_age_seconds: null,
    freshness: 'FRESH',
    stale: overrides.freshness === 'STALE' ? 1 : 0,
    check_failed: overrides.reason === 'check_failed' ? 1 : 0,
    reason: null,
    error_code: null,
    error_message: null,
    last_known_status: null,
    last_known_check: null,
    revision: null,
    pipeline_url: null,
    checked: null,
    total: null,
    watched: null,
    unwatched: null,
    checks_disagree: 0,
    interval_seconds: 120,
    checks: 1,
    missed_checks: 0,
    ...overrides,
  }
}

/** A row of a target that drifted in one file. */
export function aDriftedRow(server: string, file = 'rsyslog.conf'): StatusRow {
  return aRow({ server, sync_status: 'OUT_OF_SYNC', drift_count: 1, drifted_files: file, drift_id: `id of ${file}` })
}
