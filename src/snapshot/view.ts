import { driftSummaryOf } from '../contract/drift-summary.ts'
import type { ReportBody } from '../contract/report.ts'
import { STATUS_CODES } from '../contract/schema-parts.ts'
import type { LastKnown, StatusRow } from '../contract/status-json.ts'
import { formatTime } from '../contract/time.ts'
import { watchedOf } from '../contract/watched.ts'
import { type EffectiveStatus, effectiveStatus } from '../domain/effective-status.ts'
import { type Freshness, freshnessOf, staleAfterMs } from '../domain/freshness.ts'
import type { EpochMs } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'

/** How long ago something was, in milliseconds, by a clock that nobody sets. */
export interface Ages {
  /** Since contact, as far as freshness goes: after a restart it begins anew. */
  readonly silentMs: number
  /** Since the newest report arrived. */
  readonly contactMs: number
}

/** One target as it shows at one moment. */
export interface View extends EffectiveStatus<ReportBody> {
  readonly record: TargetRecord<ReportBody>
  readonly freshness: Freshness
  /** The first check of the unbroken run with this status; of silence the moment in which the grace was over. */
  readonly since: EpochMs
  readonly ageSeconds: number
  readonly contactAgeSeconds: number
  /** Since the full check that the newest one stands on; null when it says nothing of one. */
  readonly fullCheckAgeSeconds: number | null
}

export function viewOf(record: TargetRecord<ReportBody>, { silentMs, contactMs }: Ages): View {
  const { report, arrivedAt } = record.newest
  const ageOnArrivalMs = arrivedAt.getTime() - report.checkedAt.getTime()
  const freshness = freshnessAfter(record, silentMs)
  const { status, reason, finding } = effectiveStatus(record, freshness)
  const fullCheckAt = report.body.coverage?.full_check_at
  return {
    status,
    reason,
    finding,
    record,
    freshness,
    since: freshness === 'STALE' ? arrivedAt.getTime() + staleAfterMs(report.periodMs) : record.since,
    // Not "the wall clock now, less last_check": when someone sets this server's clock, no age must jump.
    ageSeconds: wholeSeconds(ageOnArrivalMs + contactMs),
    contactAgeSeconds: wholeSeconds(contactMs),
    fullCheckAgeSeconds:
      fullCheckAt === undefined ? null : wholeSeconds(arrivedAt.getTime() - Date.parse(fullCheckAt) + contactMs),
  }
}

/** After so much silence. LATE from the start when the report was long over when it came. */
export function freshnessAfter({ newest: { report, arrivedAt } }: TargetRecord, silentMs: number): Freshness {
  const ageOnArrivalMs = arrivedAt.getTime() - report.checkedAt.getTime()
  return freshnessOf({ silentMs, periodMs: report.periodMs, ageOnArrivalMs })
}

/** What was known when it was last known; null while it is. */
export function lastKnownOf({ status, finding }: View): LastKnown | null {
  if (status !== 'UNKNOWN' || finding === null) return null
  const { sync_status, drift_count, files, last_check } = finding.report.body
  return { sync_status, drift_count, files, last_check }
}

export function rowOf(view: View): StatusRow {
  const { newest, period, episode } = view.record
  const { body, periodMs } = newest.report
  const lastKnown = lastKnownOf(view)
  return {
    repo: body.repo,
    server: body.server,
    sync_status: view.status,
    status_code: STATUS_CODES[view.status],
    out_of_sync: view.status === 'OUT_OF_SYNC' ? 1 : 0,
    drift_count: view.finding?.report.driftCount ?? 0,
    ...driftSummaryOf(view.finding?.report.body.files ?? [], view.finding?.report.driftCount ?? 0),
    cause: view.finding?.report.body.cause ?? null,
    last_check: body.last_check,
    since: formatTime(new Date(view.since)),
    drift_since: episode === null ? null : formatTime(new Date(episode.firstDirtyAt)),
    last_clean: episode?.lastCleanAt == null ? null : formatTime(new Date(episode.lastCleanAt)),
    age_seconds: view.ageSeconds,
    contact_age_seconds: view.contactAgeSeconds,
    full_check_age_seconds: view.fullCheckAgeSeconds,
    freshness: view.freshness,
    stale: view.freshness === 'STALE' ? 1 : 0,
    check_failed: view.reason === 'check_failed' ? 1 : 0,
    reason: view.reason,
    error_code: body.error?.code ?? null,
    error_message: body.error?.message ?? null,
    last_known_status: lastKnown?.sync_status ?? null,
    last_known_check: lastKnown?.last_check ?? null,
    revision: body.revision?.commit ?? null,
    pipeline_url: body.pipeline?.url ?? null,
    checked: body.coverage?.checked ?? null,
    total: body.coverage?.total ?? null,
    ...watchedOf(body),
    checks_disagree: body.check?.disagreement === undefined ? 0 : 1,
    interval_seconds: periodMs / 1_000,
    checks: period.checks,
    missed_checks: period.missed,
  }
}

function wholeSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000))
}
