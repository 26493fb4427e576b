import { digestOf } from '../contract/content.ts'
import type { ReportBody } from '../contract/report.ts'
import { SentReport } from '../contract/sent-report.ts'
import type { Episode } from '../domain/episode.ts'
import type { ClosedPeriod } from '../domain/period.ts'
import type { Recorded } from '../domain/recorded.ts'
import { type Received, type Report, type Target, targetKey } from '../domain/report.ts'
import { type Recording, record, repetitionOf } from '../domain/target-record.ts'
import type { Appended, Numbered } from './store.ts'

/** A target's record and the number that it goes by in the database. */
export interface Account extends Numbered {
  readonly id: number
}

interface Keyed {
  /** `targetKey` of its target. */
  readonly key: string
}

/** What a group of reports changes: for a store to write down in one transaction, and then to be applied. */
export interface Plan {
  readonly appended: readonly Appended[]
  readonly changes: readonly Recorded<ReportBody>[]
  /** Each target that changed, once, as the whole group leaves it. */
  readonly accounts: readonly ChangedAccount[]
  readonly periods: readonly Of<ClosedPeriod<ReportBody>>[]
  readonly episodes: readonly Of<Episode>[]
  readonly late: readonly Of<Received<ReportBody>>[]
}

export interface ChangedAccount extends Account, Keyed {
  readonly isNew: boolean
  /** More has changed than its newest check and the counters. */
  readonly isOther: boolean
}

export interface Of<Value> {
  readonly targetId: number
  readonly value: Value
}

/** Late reports that may have come before. Only the store knows: look them up and plan again. */
export interface Unsure {
  readonly lookUp: readonly Of<Received<ReportBody>>[]
}

/** By `lateKey`, when late reports came first; null for one that the store was asked for and does not hold. */
export type LateArrivals = ReadonlyMap<string, Date | null>

/** By which a late report is known again. */
export function reportIdOf({ content, check }: Report): string {
  return digestOf(content + check)
}

export function lateKey(targetId: number, reportId: string): string {
  return `${targetId} ${reportId}`
}

/**
 * Decides what reports change, and holds what is known of every target: once, for all stores.
 *
 * A group is planned, written down by the store, and then applied. A plan that could not be written is dropped and has
 * changed nothing. Between planning and applying nobody else may write.
 */
export class Ledger {
  readonly #accounts = new Map<string, Account>()
  #seq = 0
  #newestId = 0

  /** The newest sequence number that was given out. */
  get seq(): number {
    return this.#seq
  }

  account(target: Target): Account | undefined {
    return this.#accounts.get(targetKey(target))
  }

  accounts(): Iterable<Account> {
    return this.#accounts.values()
  }

  /** Takes over what the database holds, or what another writer of it has recorded. */
  load(account: Account): void {
    this.#put(account.record.newest.report.key, account)
  }

  #put(key: string, { id, record, seq }: Account): void {
    this.#accounts.set(key, { id, record, seq })
    this.#newestId = Math.max(this.#newestId, id)
    this.reach(seq)
  }

  /** Numbers up to this one are given out. */
  reach(seq: number): void {
    this.#seq = Math.max(this.#seq, seq)
  }

  forget(target: Target): void {
    this.#accounts.delete(targetKey(target))
  }

  plan(received: readonly Received<ReportBody>[], lateArrivals: LateArrivals = new Map()): Plan | Unsure {
    const draft = new Draft(this.#seq, this.#newestId)
    for (const one of received) {
      const { key } = one.report
      draft.take(key, draft.account(key) ?? this.#accounts.get(key), one, lateArrivals)
    }
    return draft.lookUp.length > 0 ? { lookUp: draft.lookUp } : draft.plan()
  }

  /** As `plan`; of late reports that may have come before the store says what it holds. */
  async planKnowing(
    received: readonly Received<ReportBody>[],
    lookUp: (unsure: Unsure) => LateArrivals | Promise<LateArrivals>,
  ): Promise<Plan> {
    const first = this.plan(received)
    if (!('lookUp' in first)) return first
    const second = this.plan(received, await lookUp(first))
    if ('lookUp' in second) throw new Error('Everything was looked up')
    return second
  }

  apply({ accounts }: Plan): void {
    for (const account of accounts) this.#put(account.key, account)
  }
}

/** A plan in the making. */
class Draft {
  readonly lookUp: Of<Received<ReportBody>>[] = []
  readonly #appended: Appended[] = []
  readonly #changes: Recorded<ReportBody>[] = []
  readonly #accounts = new Map<string, ChangedAccount>()
  readonly #periods: Of<ClosedPeriod<ReportBody>>[] = []
  readonly #episodes: Of<Episode>[] = []
  readonly #late: Of<Received<ReportBody>>[] = []
  readonly #lateHere = new Map<string, Date>()
  #seq: number
  #newestId: number

  constructor(seq: number, newestId: number) {
    this.#seq = seq
    this.#newestId = newestId
  }

  account(key: string): ChangedAccount | undefined {
    return this.#accounts.get(key)
  }

  plan(): Plan {
    return {
      appended: this.#appended,
      changes: this.#changes,
      accounts: [...this.#accounts.values()],
      periods: this.#periods,
      episodes: this.#episodes,
      late: this.#late,
    }
  }

  take(key: string, held: Account | undefined, received: Received<ReportBody>, lateArrivals: LateArrivals): void {
    const before = held?.record
    if (before !== undefined) shareParts(before.newest.report, received.report)
    const firstArrivedAt = repetitionOf(before, received)
    if (before !== undefined && firstArrivedAt !== null) {
      this.#appended.push({ duplicateOf: firstArrivedAt, record: before })
      return
    }

    const recording = record(before, received)
    if (held !== undefined && !recording.applied) {
      const lateBefore = this.#takeLate(held.id, received, lateArrivals)
      if (lateBefore !== null) {
        this.#appended.push({ duplicateOf: lateBefore, record: held.record })
        return
      }
    }
    const { applied, after } = recording
    this.#appended.push({ duplicateOf: null, received, applied, before, after })
    if (after !== before) this.#change(key, held, received, recording)
  }

  /** When the same late report came first; null when it did not, and then it is kept. */
  #takeLate(targetId: number, value: Received<ReportBody>, lateArrivals: LateArrivals): Date | null {
    const key = lateKey(targetId, reportIdOf(value.report))
    const known = this.#lateHere.get(key) ?? lateArrivals.get(key)
    if (known === undefined) this.lookUp.push({ targetId, value })
    if (known) return known
    this.#lateHere.set(key, value.arrivedAt)
    this.#late.push({ targetId, value })
    return null
  }

  #change(
    key: string,
    held: Account | undefined,
    received: Received<ReportBody>,
    { applied, after, closedPeriod, closedEpisode }: Recording<ReportBody>,
  ): void {
    const id = held?.id ?? ++this.#newestId
    const drafted = this.#accounts.get(key)
    this.#accounts.set(key, {
      key,
      id,
      record: after,
      seq: ++this.#seq,
      isNew: held === undefined || drafted?.isNew === true,
      isOther: held === undefined || closedPeriod !== null || drafted?.isOther === true || keepsOther(held, after),
    })
    this.#changes.push({ seq: this.#seq, received, applied, before: held?.record, after })
    if (closedPeriod !== null) this.#periods.push({ targetId: id, value: closedPeriod })
    if (closedEpisode !== null) this.#episodes.push({ targetId: id, value: closedEpisode })
  }
}

function shareParts(earlier: Report, report: Report): void {
  if (report instanceof SentReport && earlier instanceof SentReport) report.shareWith(earlier)
}

/** A late finding that says what the one before it said changes only which one it was. */
function keepsOther({ record }: Account, after: Account['record']): boolean {
  return after.lastKnown !== record.lastKnown && after.lastKnown !== after.newest
}
