import type { ReportBody } from '../contract/report.ts'
import type { Recorded } from '../domain/recorded.ts'
import type { Received } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'

/** Remembers reports. Each sentence here is a test of the same words in `store-contract.ts`. */
export interface Store {
  /**
   * Remembers reports in the order given, and says for each what was known of its target before and after it.
   *
   * When the promise resolves, they are on the disk.
   * All of them are remembered, or none.
   * The same content for the same target again is a repeated delivery: nothing is stored.
   * An older report that comes late is kept and does not become the newest.
   * Of two calls at once, one sees the other's reports.
   *
   * @throws Fault `store_unavailable` while it cannot write. It can again once the reason is gone.
   */
  append(received: readonly Received<ReportBody>[]): Promise<Appended[]>

  /** The state of every target, as the reports so far leave it. A store that was closed and opened again has them all. */
  latest(): Promise<TargetState<ReportBody>[]>

  /**
   * Writes something that nobody reads, down to the disk.
   *
   * @throws Fault `store_unavailable` while it cannot write
   */
  checkWritable(): Promise<void>

  /** Finishes what was begun. */
  close(): Promise<void>
}

/** What became of one report. */
export type Appended = Stored | Duplicate

export interface Stored extends Recorded<ReportBody> {
  readonly duplicateOf: null
}

export interface Duplicate {
  /** When the same content arrived for the first time. */
  readonly duplicateOf: Date
  /** What is known of its target, unchanged. */
  readonly state: TargetState<ReportBody>
}
