import type { Received, Target } from './report.ts'
import type { TargetRecord } from './target-record.ts'

/** A report that changed what is known of its target. */
export interface Recorded<Body = unknown> {
  /** Grows by one with each change over the life of a database. */
  readonly seq: number
  readonly received: Received<Body>
  /** It became its target's newest. One that came late may all the same be the newest finding: compare the records. */
  readonly applied: boolean
  readonly before: TargetRecord<Body> | undefined
  readonly after: TargetRecord<Body>
}

/** A target that was forgotten, with its history. */
export interface Removed {
  readonly seq: number
  readonly removed: Target
}

/** What the feed passes on. */
export type Change<Body = unknown> = Recorded<Body> | Removed
