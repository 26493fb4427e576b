import type { ReportAnswer } from '../contract/answer.ts'
import type { ReportBody } from '../contract/report.ts'
import type { ValidReport } from '../contract/submission.ts'
import { formatTime } from '../contract/time.ts'
import { arrivedTooOld } from '../domain/freshness.ts'
import type { Received } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'

type State = TargetState<ReportBody>

export interface Stored {
  readonly duplicateOf: null
  readonly received: Received<ReportBody>
  readonly applied: boolean
  readonly before: State | undefined
  readonly after: State
}

export interface Duplicate {
  readonly duplicateOf: Date
  readonly record: State
}

/** What a reporter is told about a report that was stored. */
export function answerForStored({ warnings }: ValidReport, { received, applied, before, after }: Stored): ReportAnswer {
  return {
    applied,
    changed: !showsTheSame(before, after),
    previous_status: before?.newest.report.status ?? 'UNKNOWN',
    warnings: [...warnings, ...(applied ? tooOld(received) : late(after))],
  }
}

/** What a reporter is told about a report that was held already. */
export function answerForDuplicate({ warnings }: ValidReport, { duplicateOf, record }: Duplicate): ReportAnswer {
  return {
    applied: false,
    changed: false,
    previous_status: record.newest.report.status,
    warnings: [...warnings, `was received before at ${formatTime(duplicateOf)}: nothing stored`],
  }
}

function tooOld({ report, arrivedAt }: Received<ReportBody>): string[] {
  const ageOnArrivalMs = arrivedAt.getTime() - report.checkedAt.getTime()
  if (!arrivedTooOld({ periodMs: report.periodMs, ageOnArrivalMs })) return []
  const { last_check } = report.body
  return [
    `last_check ${last_check} was long over when the report arrived at ${formatTime(arrivedAt)}: shown as reported, and LATE from the start`,
  ]
}

function late({ newest }: State): string[] {
  return [`came late: the report of ${newest.report.body.last_check} is newer, so this one only went into the history`]
}

// A late report can still be the newest that found something out, and so change the drift that a failed check left on
// show. That is why this compares states and does not ask whether the report was applied.
function showsTheSame(before: State | undefined, after: State): boolean {
  if ((before?.newest.report.status ?? 'UNKNOWN') !== after.newest.report.status) return false
  const drift = before?.lastKnown?.report
  const driftNow = after.lastKnown?.report
  if (drift?.content === driftNow?.content) return true
  return (
    (drift?.driftCount ?? 0) === (driftNow?.driftCount ?? 0) &&
    JSON.stringify(drift?.body.files ?? []) === JSON.stringify(driftNow?.body.files ?? [])
  )
}
