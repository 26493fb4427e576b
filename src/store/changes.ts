import type { ReportBody } from '../contract/report.ts'
import type { Change } from '../domain/recorded.ts'

type Listener = (changes: readonly Change<ReportBody>[]) => void

/** How every store changes what it knows: one piece of work after the other, and whoever listens is told of each change. */
export class Changes {
  readonly #listeners: Listener[] = []
  #turn: Promise<unknown> = Promise.resolve()

  readonly subscribe = (listener: Listener): void => {
    this.#listeners.push(listener)
  }

  publish(changes: readonly Change<ReportBody>[]): void {
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes)
  }

  /** Between planning and applying nothing else may change the ledger. */
  inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  /** Resolves when what was begun is done, whatever came of it. */
  async settled(): Promise<void> {
    await this.#turn
  }
}
