import type { StatusJson } from '../contract/status-json.ts'
import { type Reason, worstOf } from '../domain/effective-status.ts'
import type { Freshness } from '../domain/freshness.ts'
import type { SyncStatus } from '../domain/report.ts'
import { lastKnownOf, type View } from './view.ts'

/** What `/status.json` says of several targets together, less the files themselves. */
export type RolledUp = Omit<
  StatusJson,
  'files' | 'files_truncated' | 'target_count' | 'items' | 'items_truncated' | 'generated_at'
>

/** Takes one target after the other, in any order, and keeps none of them. */
export class RollUp {
  readonly #statuses = new Set<SyncStatus>()
  readonly #reasons = new Set<Reason | null>()
  readonly #freshness = new Set<Freshness>()
  #count = 0
  #only: View | null = null
  #repo: string | null = null
  #server: string | null = null
  #driftCount = 0
  #oldest: View | null = null
  #age = 0
  #contactAge = 0

  get count(): number {
    return this.#count
  }

  /** The target, when there is one alone. */
  get only(): readonly View[] {
    return this.#only === null ? [] : [this.#only]
  }

  add(view: View): void {
    const { repo, server } = view.record.newest.report.target
    this.#repo = this.#count === 0 || this.#repo === repo ? repo : null
    this.#server = this.#count === 0 || this.#server === server ? server : null
    this.#only = this.#count === 0 ? view : null
    this.#count++
    this.#statuses.add(view.status)
    this.#reasons.add(view.reason)
    this.#freshness.add(view.freshness)
    this.#driftCount += view.finding?.report.driftCount ?? 0
    if (this.#oldest === null || checkedAt(view) < checkedAt(this.#oldest)) this.#oldest = view
    this.#age = Math.max(this.#age, view.ageSeconds)
    this.#contactAge = Math.max(this.#contactAge, view.contactAgeSeconds)
  }

  result(): RolledUp {
    const status = worstOf([...this.#statuses])
    const only = this.#only
    return {
      repo: this.#repo,
      server: this.#server,
      sync_status: status,
      drift_count: this.#driftCount,
      last_check: this.#oldest?.record.newest.report.body.last_check ?? null,
      reason: status === 'UNKNOWN' ? (firstOf(REASONS, this.#reasons) ?? 'never_reported') : null,
      freshness: firstOf(STALEST_FIRST, this.#freshness),
      age_seconds: this.#count === 0 ? null : this.#age,
      contact_age_seconds: this.#count === 0 ? null : this.#contactAge,
      last_known: only === null ? null : lastKnownOf(only),
      error: only?.record.newest.report.body.error ?? null,
    }
  }
}

function checkedAt({ record }: View): number {
  return record.newest.report.checkedAt.getTime()
}

const REASONS: readonly Reason[] = ['stale', 'check_failed', 'never_reported']
const STALEST_FIRST: readonly Freshness[] = ['STALE', 'LATE', 'FRESH']

function firstOf<Value>(order: readonly Value[], found: ReadonlySet<Value | null>): Value | null {
  return order.find((value) => found.has(value)) ?? null
}
