import { type Episode, followFinding } from './episode.ts'
import { beginPeriod, type ClosedPeriod, continuePeriod, isInterrupted, type Period } from './period.ts'
import { arrivalOf, NO_RECENT_REPORTS, type RecentReports, withReplaced } from './recent-reports.ts'
import type { EpochMs, Received, Report } from './report.ts'
import { checkedBy, fold, type TargetState } from './target-state.ts'

/** Everything that is kept of one target at hand. What is over (periods, episodes, late reports) is left to the store. */
export interface TargetRecord<Body = unknown> extends TargetState<Body> {
  /** The first check of the unbroken run with the newest report's status. */
  readonly since: EpochMs
  readonly period: Period
  /** Null while the newest finding is SYNCED, or there is none. */
  readonly episode: Episode | null
  /** Of each drifted file of the last finding, in its order: the first check of the unbroken run that named it. */
  readonly filesSince: readonly EpochMs[]
  readonly recent: RecentReports
}

/** What a report does to what is kept of its target. */
export interface Recording<Body = unknown> {
  readonly applied: boolean
  /** The same object as before when the report changed nothing. */
  readonly after: TargetRecord<Body>
  readonly closedPeriod: ClosedPeriod<Body> | null
  readonly closedEpisode: Episode | null
}

/**
 * The arrival of the same report before, if it is known here; null if not.
 *
 * A report that a newer one has replaced is not the same report when it comes again with nothing between them in time:
 * A, B, A with one `last_check` ends with A, because whoever sends them by hand means it.
 */
export function repetitionOf(before: TargetRecord | undefined, received: Received): Date | null {
  if (before === undefined) return null
  const { report } = received
  const { newest } = before
  if (isSameReport(report, newest.report)) return newest.arrivedAt
  if (report.checkedAt.getTime() === newest.report.checkedAt.getTime()) return null
  // Also of a later `last_check` than the newest: its reporter's clock may run ahead.
  return arrivalOf(before.recent, report)
}

function isSameReport(a: Report, b: Report): boolean {
  return a.checkedAt.getTime() === b.checkedAt.getTime() && a.check === b.check && a.content === b.content
}

/** Takes one more report into account, which is no repetition. Pure: the caller keeps the record. */
export function record<Body>(before: TargetRecord<Body> | undefined, received: Received<Body>): Recording<Body> {
  const { state, applied } = fold(before, received)
  if (before === undefined) return { applied, after: firstRecord(state), closedPeriod: null, closedEpisode: null }

  const isNewFinding = state.lastKnown !== before.lastKnown
  if (!applied && !isNewFinding) return { applied, after: before, closedPeriod: null, closedEpisode: null }

  const showsTheSame =
    state.newest.report.content === before.newest.report.content &&
    state.lastKnown?.report.content === before.lastKnown?.report.content
  const wasSilent = applied && isInterrupted(before.period, before.newest.report.periodMs, received)
  const goesOn = showsTheSame && !wasSilent
  const sameStatus = state.newest.report.status === before.newest.report.status && !wasSilent

  // After a clock was set back, and of two that came in one millisecond: no two periods begin at the same moment.
  const changedAt = Math.max(received.arrivedAt.getTime(), before.period.beganAt + 1)

  const episodes =
    isNewFinding && state.lastKnown !== null
      ? followFinding(before.episode, before.lastKnown, state.lastKnown)
      : { open: before.episode, closed: null }
  return {
    applied,
    after: {
      newest: state.newest,
      lastKnown: state.lastKnown,
      since: sameStatus ? before.since : checkedBy(state.newest),
      period: goesOn ? continued(before.period, received, applied) : begun(state.newest, applied, changedAt),
      episode: episodes.open,
      filesSince: showsTheSame ? before.filesSince : filesSince(before, state.lastKnown),
      recent: applied ? withReplaced(before.recent, before.newest) : before.recent,
    },
    closedPeriod: goesOn ? null : { ...stateOf(before), period: before.period, endedAt: changedAt },
    closedEpisode: episodes.closed,
  }
}

function firstRecord<Body>(state: TargetState<Body>): TargetRecord<Body> {
  const { newest, lastKnown } = state
  return {
    newest,
    lastKnown,
    since: checkedBy(newest),
    period: beginPeriod(newest),
    episode: lastKnown === null ? null : followFinding(null, null, lastKnown).open,
    filesSince: filesSince(undefined, lastKnown),
    recent: NO_RECENT_REPORTS,
  }
}

function continued(period: Period, received: Received, applied: boolean): Period {
  return applied ? continuePeriod(period, received) : period
}

// A late finding changes what a failed check left on show. That failed check was counted in the period before.
function begun(newest: Received, applied: boolean, beganAt: EpochMs): Period {
  return { ...beginPeriod(newest), beganAt, checks: applied ? 1 : 0 }
}

function stateOf<Body>({ newest, lastKnown }: TargetState<Body>): TargetState<Body> {
  return { newest, lastKnown }
}

function filesSince(before: TargetRecord | undefined, finding: Received | null): readonly EpochMs[] {
  const files = finding?.report.driftedFiles ?? []
  if (finding === null || files.length === 0) return NO_FILES
  const known = new Map(before?.lastKnown?.report.driftedFiles.map((name, index) => [name, before.filesSince[index]]))
  return files.map((name) => known.get(name) ?? checkedBy(finding))
}

const NO_FILES: readonly EpochMs[] = []
