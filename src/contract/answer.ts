import type { SyncStatus } from '../domain/report.ts'

/** What became of one report: the 200 answer of `POST /api/status`. */
export interface ReportAnswer {
  /** The report became its target's newest. False for one that came late, or that was received before. */
  readonly applied: boolean
  /** The target shows another status or other drift than before. */
  readonly changed: boolean
  /** What the target's newest report said before this one; UNKNOWN when there was none. */
  readonly previous_status: SyncStatus
  readonly warnings: readonly string[]
}

/** The answer to a batch, in the batch's order. */
export interface BatchAnswer {
  readonly results: readonly ReportAnswer[]
}
