import { STATUS_CODES } from '../contract/schema-parts.ts'
import type { PeriodRow } from '../contract/target-history.ts'
import { formatExactTime } from '../contract/time.ts'
import { staleAfterMs } from '../domain/freshness.ts'
import type { EpochMs } from '../domain/report.ts'
import type { KeptPeriod } from './kept-history.ts'

export function periodRowOf(
  { period, newest, lastKnown, endedAt }: Omit<KeptPeriod, 'targetId' | 'number'>,
  now: EpochMs,
): PeriodRow {
  const { body, periodMs } = newest.report
  const staleAt = Math.max(period.beganAt, period.lastArrivedAt + staleAfterMs(periodMs))
  return {
    repo: body.repo,
    server: body.server,
    sync_status: period.status,
    status_code: STATUS_CODES[period.status],
    drift_count: lastKnown?.report.driftCount ?? 0,
    cause: lastKnown?.report.body.cause ?? null,
    began_at: formatExactTime(period.beganAt),
    ended_at: endedAt === null ? null : formatExactTime(endedAt),
    is_open: endedAt === null ? 1 : 0,
    stale_since: staleAt < (endedAt ?? now) ? formatExactTime(staleAt) : null,
    first_check: formatExactTime(period.firstCheckAt),
    last_check: formatExactTime(period.lastCheckAt),
    last_arrival: formatExactTime(period.lastArrivedAt),
    checks: period.checks,
    gaps: period.gaps,
    missed_checks: period.missed,
    interval_seconds: periodMs / 1_000,
    error_code: body.error?.code ?? null,
    revision: body.revision?.commit ?? null,
  }
}
