import { driftSummaryOf } from '../contract/drift-summary.ts'
import type { ReportBody } from '../contract/report.ts'
import { STATUS_CODES } from '../contract/schema-parts.ts'
import type { LastKnown, StatusRow } from '../contract/status-json.ts'
import { formatExactTime, formatTime } from '../contract/time.ts'
import { watchedOf } from '../contract/watched.ts'
import { effectiveStatus } from '../domain/effective-status.ts'
import type { Episode } from '../domain/episode.ts'
import { type Freshness, freshnessOf, staleAfterMs } from '../domain/freshness.ts'
import type { EpochMs, Received } from '../domain/report.ts'
import { checkedBy } from '../domain/target-state.ts'
import type { PastState } from './kept-history.ts'

/** One target as it was known at a moment. */
export interface StateThen {
  readonly row: StatusRow
  /** Whose drift was on show. */
  readonly finding: Received<ReportBody> | null
  readonly lastKnown: LastKnown | null
}

/** The newest check at that moment. */
interface Check {
  /** As it was sent, where that is still known. */
  readonly lastCheck: string
  readonly checkedAt: EpochMs
  readonly arrivedAt: EpochMs
  readonly checks: number
  readonly missed: number
}

/**
 * What was on show at a moment, as far as it can be known.
 *
 * Of a period the first and the last check are kept, and how many there were. From its last check on everything is
 * known. Inside it, what was found is known, because all of its checks found the same; which of them was the newest is
 * not, and everything that hangs on that is null.
 *
 * @param episodes Those of this target that may have lasted at that moment.
 */
export function stateThen(state: PastState, at: EpochMs, episodes: readonly Episode[]): StateThen {
  const { newest, period } = state
  const { body, periodMs } = newest.report
  const check = checkThen(state, at)
  // Inside a period no silence was longer than the grace: otherwise it would have ended there.
  const freshness = check === null ? null : freshnessThen(check, periodMs, at)
  const { status, reason, finding } = effectiveStatus(state, freshness ?? 'FRESH')
  const wasLast = at >= period.lastArrivedAt

  const lastKnown = status === 'UNKNOWN' && finding !== null ? lastKnownThen(finding, at) : null
  const episode = finding?.report.status === 'OUT_OF_SYNC' ? episodeOf(finding, episodes) : undefined
  return {
    finding,
    lastKnown,
    row: {
      repo: body.repo,
      server: body.server,
      sync_status: status,
      status_code: STATUS_CODES[status],
      out_of_sync: status === 'OUT_OF_SYNC' ? 1 : 0,
      drift_count: finding?.report.driftCount ?? 0,
      ...driftSummaryOf(finding?.report.body.files ?? [], finding?.report.driftCount ?? 0),
      cause: finding?.report.body.cause ?? null,
      last_check: check?.lastCheck ?? null,
      since: freshness === 'STALE' ? formatTime(new Date(period.lastArrivedAt + staleAfterMs(periodMs))) : null,
      drift_since: episode === undefined ? null : formatTime(new Date(episode.firstDirtyAt)),
      last_clean: episode?.lastCleanAt == null ? null : formatTime(new Date(episode.lastCleanAt)),
      age_seconds: check && wholeSeconds(at - check.checkedAt),
      contact_age_seconds: check && wholeSeconds(at - check.arrivedAt),
      full_check_age_seconds: wasLast ? sinceFullCheck(body, at) : null,
      freshness,
      stale: freshness === 'STALE' ? 1 : 0,
      check_failed: reason === 'check_failed' ? 1 : 0,
      reason,
      error_code: body.error?.code ?? null,
      error_message: wasLast ? (body.error?.message ?? null) : null,
      last_known_status: lastKnown?.sync_status ?? null,
      last_known_check: lastKnown?.last_check ?? null,
      revision: wasLast ? (body.revision?.commit ?? null) : null,
      pipeline_url: wasLast ? (body.pipeline?.url ?? null) : null,
      checked: body.coverage?.checked ?? null,
      total: body.coverage?.total ?? null,
      ...watchedOf(body),
      checks_disagree: wasLast ? (body.check?.disagreement === undefined ? 0 : 1) : null,
      interval_seconds: periodMs / 1_000,
      checks: check?.checks ?? null,
      missed_checks: check?.missed ?? null,
    },
  }
}

function checkThen({ newest, period }: PastState, at: EpochMs): Check | null {
  const { status, beganAt, firstCheckAt, lastArrivedAt, checks, missed } = period
  if (at >= lastArrivedAt) {
    const { body, checkedAt } = newest.report
    return { lastCheck: body.last_check, checkedAt: checkedAt.getTime(), arrivedAt: lastArrivedAt, checks, missed }
  }
  // Of two checks the first was the newest until the second came. Not so while the status was UNKNOWN: a late finding
  // can begin a period between two failed checks.
  // Nor where the reporter's clock was ahead: what it called its first check is not kept.
  if (checks !== 2 || status === 'UNKNOWN' || firstCheckAt >= beganAt) return null
  return { lastCheck: formatExactTime(firstCheckAt), checkedAt: firstCheckAt, arrivedAt: beganAt, checks: 1, missed: 0 }
}

function freshnessThen({ checkedAt, arrivedAt }: Check, periodMs: number, at: EpochMs): Freshness {
  return freshnessOf({ silentMs: at - arrivedAt, periodMs, ageOnArrivalMs: arrivedAt - checkedAt })
}

function lastKnownThen({ report, arrivedAt }: Received<ReportBody>, at: EpochMs): LastKnown {
  const { sync_status, drift_count, files, last_check } = report.body
  // A finding that came late may have been replaced by another one that says the same.
  return { sync_status, drift_count, files, last_check: arrivedAt.getTime() <= at ? last_check : null }
}

function episodeOf(finding: Received, episodes: readonly Episode[]): Episode | undefined {
  const checkedAt = checkedBy(finding)
  return episodes.find(({ firstDirtyAt, lastDirtyAt }) => firstDirtyAt <= checkedAt && checkedAt <= lastDirtyAt)
}

function sinceFullCheck({ coverage }: ReportBody, at: EpochMs): number | null {
  const fullCheckAt = coverage?.full_check_at
  return fullCheckAt === undefined ? null : wholeSeconds(at - Date.parse(fullCheckAt))
}

function wholeSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000))
}
