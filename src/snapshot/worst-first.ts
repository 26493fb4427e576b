import type { SyncStatus } from '../domain/report.ts'

/** Collects what there is of each target, the worst first; within a status as it comes. No more than a limit is kept. */
export class WorstFirst<Item> {
  readonly #kept: Record<SyncStatus, Item[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Of what shows this status, no more can be among the first. */
  isFull(status: SyncStatus): boolean {
    return this.#kept[status].length >= this.#limit
  }

  add(status: SyncStatus, item: Item): void {
    if (!this.isFull(status)) this.#kept[status].push(item)
  }

  all(): Item[] {
    const { OUT_OF_SYNC, UNKNOWN, SYNCED } = this.#kept
    return [...OUT_OF_SYNC, ...UNKNOWN, ...SYNCED].slice(0, this.#limit)
  }
}
