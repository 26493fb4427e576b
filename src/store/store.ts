import type { ReportBody } from '../contract/report.ts'
import type { Episode } from '../domain/episode.ts'
import type { Epoch } from '../domain/epoch.ts'
import type { ClosedPeriod } from '../domain/period.ts'
import type { Change } from '../domain/recorded.ts'
import type { EpochMs, Received, Target } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import type { TokenStore } from './token-store.ts'

/** Remembers reports. Each sentence here is a test of the same words in `store-contract.ts`. */
export interface Store {
  /**
   * Remembers reports in the order given, and says for each what was known of its target before and after it.
   *
   * When the promise resolves, they are on the disk.
   * All of them are remembered, or none.
   * A repeated delivery stores nothing, and its answer says when the report came first.
   * An older report that comes late is kept and does not become the newest.
   * Of two calls at once, one sees the other's reports.
   *
   * @throws Fault `store_unavailable` while it cannot write. It can again once the reason is gone.
   */
  append(received: readonly Received<ReportBody>[]): Promise<Appended[]>

  /**
   * Forgets a target with its history. Resolves to false when there is none.
   * A target that is forgotten begins anew with its next report.
   */
  remove(target: Target, at: Date): Promise<boolean>

  /** The record of every target, as the reports so far leave it. A store that was closed and opened again has them all. */
  latest(): Promise<Latest>

  /**
   * Calls back with every change, once, in the order of its `seq`, which grows by one each time.
   * Those of a call are passed on before its promise resolves.
   * What other servers recorded in the same database comes in the same order and within two seconds. Of several changes of
   * one target it is then the newest one alone, so that numbers are left out.
   */
  subscribe(listener: (changes: readonly Change<ReportBody>[]) => void): void

  /**
   * The epochs that this database has been through, the oldest first, with those of every change that was passed on.
   * A store that was closed and opened again still has them, and begins another one with its first change.
   * What two copies of a database record stands in epochs of their own.
   * Servers that share a database have the same ones.
   */
  epochs(): readonly Epoch[]

  /**
   * Up to when this store knows everything that was recorded. Null where nobody else can record anything: it always does.
   * It knows what was recorded before a call that stores a report.
   * While nobody records anything it goes on by itself, and stands still while others cannot be asked.
   * What others recorded since then is passed on first.
   */
  following(): Following | null

  /**
   * Each target as it was known at a moment, in no order: those that had reported by then and are not forgotten or pruned
   * since.
   *
   * @throws Fault `store_unreadable` while it cannot be read, as all that is asked of history
   */
  statesAt(at: Date): Promise<PastState[]>

  /** Periods, the newest first. Those that still last are among them. */
  periods(query: HistoryQuery): Promise<PastPeriod[]>

  /** Episodes, the newest first. Those that still last are among them. */
  episodes(query: HistoryQuery): Promise<PastEpisode[]>

  /**
   * Forgets history that was over before a moment. What is known now stays, however old it is.
   * Resolves to the number of rows that are gone.
   */
  prune(before: Date): Promise<number>

  /**
   * Writes down that the server is there, down to the disk. A store that is opened again knows the newest such moment.
   *
   * @throws Fault `store_unavailable` while it cannot write
   */
  touch(at: Date): Promise<void>

  readonly tokens: TokenStore

  /** Finishes what was begun. */
  close(): Promise<void>
}

/** What became of one report. */
export type Appended = Stored | Duplicate

export interface Stored {
  readonly duplicateOf: null
  readonly received: Received<ReportBody>
  readonly applied: boolean
  readonly before: TargetRecord<ReportBody> | undefined
  readonly after: TargetRecord<ReportBody>
}

export interface Duplicate {
  /** When the same report arrived for the first time. */
  readonly duplicateOf: Date
  /** What is known of its target, unchanged. */
  readonly record: TargetRecord<ReportBody>
}

export interface Latest {
  readonly records: readonly Numbered[]
  /** The newest sequence number that was given out. */
  readonly seq: number
  /** When the server was last known to be there; null when it never was. */
  readonly aliveAt: Date | null
}

export interface Numbered {
  readonly record: TargetRecord<ReportBody>
  /** Of its newest change. */
  readonly seq: number
}

export interface Following {
  /** Everything that was recorded by then is known. */
  readonly asOf: Date
  /** For how many milliseconds that has not been confirmed anew, by a clock that nobody sets. */
  readonly unconfirmedMs: number
}

/** The period that a moment fell into. Its newest report may be of after that moment: the store knows no single ones. */
export type PastState = ClosedPeriod<ReportBody>

export interface HistoryQuery {
  /** Null: of every target. */
  readonly targets: readonly Target[] | null
  /** What lasted into this moment or began after it, */
  readonly from: Date
  /** and had begun by this one. */
  readonly to: Date
  readonly limit: number
  /** Only what comes after this one, in the order of the answer. */
  readonly after: Cursor | null
}

/** A place in a list that is ordered by (began, target, number), the newest first. */
export interface Cursor {
  readonly beganAt: EpochMs
  readonly targetId: number
  /** Of several of one target that began in the same moment the later one has the greater number. */
  readonly number: number
}

/** `endedAt` is null while it lasts. */
export interface PastPeriod extends Omit<ClosedPeriod<ReportBody>, 'endedAt'> {
  readonly targetId: number
  readonly number: number
  readonly endedAt: EpochMs | null
}

export interface PastEpisode extends Episode {
  readonly target: Target
  readonly targetId: number
  readonly number: number
}
