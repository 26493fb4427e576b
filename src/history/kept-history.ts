import type { ReportBody } from '../contract/report.ts'
import type { Episode } from '../domain/episode.ts'
import type { ClosedPeriod } from '../domain/period.ts'
import type { EpochMs, Target } from '../domain/report.ts'

/** What is asked of the store. */
export interface KeptHistory {
  statesAt(at: Date): Promise<PastState[]>
  periods(query: Span & Page): Promise<KeptPeriod[]>
  episodes(query: Span & Page): Promise<KeptEpisode[]>
}

/** The period that a moment fell into. Its newest report may be of after that moment. */
export type PastState = ClosedPeriod<ReportBody>

/** `endedAt` is null while it lasts. */
export interface KeptPeriod extends Omit<ClosedPeriod<ReportBody>, 'endedAt'> {
  readonly targetId: number
  readonly number: number
  readonly endedAt: EpochMs | null
}

export interface KeptEpisode extends Episode {
  readonly target: Target
  readonly targetId: number
  readonly number: number
}

export interface Span {
  /** Null: all. */
  readonly targets: readonly Target[] | null
  readonly from: Date
  readonly to: Date
}

/** The newest come first. */
export interface Page {
  readonly limit: number
  readonly after: Place | null
}

export interface Place {
  readonly beganAt: EpochMs
  readonly targetId: number
  /** Tells apart what began in the same moment. */
  readonly number: number
}
