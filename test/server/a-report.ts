import { type ReportBody, reportOf } from '../../src/contract/report.ts'
import type { Received } from '../../src/domain/report.ts'

/** The requirement's "When Synced" example, with what a test is about put in its place. */
export function aBody(overrides: Partial<ReportBody> = {}): ReportBody {
  const files = overrides.files ?? []
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: files.length > 0 ? 'OUT_OF_SYNC' : 'SYNCED',
    drift_count: files.length,
    files,
    last_check: '2026-04-21T10:30:00Z',
    ...overrides,
  }
}

/** A check that failed. */
export function aFailure(overrides: Partial<ReportBody> = {}): ReportBody {
  return aBody({ sync_status: 'UNKNOWN', error: { code: 'unreachable', message: 'No route to host' }, ...overrides })
}

/** A report with its arrival; it arrives when it was made unless the test says otherwise. */
export function aReceived(overrides: Partial<ReportBody> = {}, arrivedAt?: string): Received<ReportBody> {
  const body = overrides.sync_status === 'UNKNOWN' ? aFailure(overrides) : aBody(overrides)
  return { report: reportOf(body), arrivedAt: new Date(arrivedAt ?? body.last_check) }
}
