import type { SyncStatus } from '../domain/report.ts'
import type { View } from './view.ts'

/** A target as its metrics need it. */
export interface Measured {
  readonly repo: string
  readonly server: string
  readonly syncStatus: SyncStatus
  readonly driftCount: number
  readonly stale: boolean
  readonly lastCheckAt: Date
  readonly contactAt: Date
  readonly since: Date | null
  readonly driftSince: Date | null
  readonly missedChecks: number | null
  readonly coverage: number | null
  readonly lastFullCheckAt: Date | null
  readonly checksDisagree: boolean | null
}

export function measuredOf({ record: { newest, period, episode }, status, finding, freshness, since }: View): Measured {
  const { coverage, check } = newest.report.body
  const fullCheckAt = coverage?.full_check_at
  return {
    ...newest.report.target,
    syncStatus: status,
    driftCount: finding?.report.driftCount ?? 0,
    stale: freshness === 'STALE',
    lastCheckAt: newest.report.checkedAt,
    contactAt: newest.arrivedAt,
    since: new Date(since),
    driftSince: episode === null ? null : new Date(episode.firstDirtyAt),
    missedChecks: period.missed,
    coverage: coverage === undefined || coverage.total === 0 ? null : coverage.checked / coverage.total,
    lastFullCheckAt: fullCheckAt === undefined ? null : new Date(fullCheckAt),
    checksDisagree: check === undefined ? null : check.disagreement !== undefined,
  }
}
