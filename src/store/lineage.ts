import { randomBytes } from 'node:crypto'
import type { Epoch } from '../domain/epoch.ts'

/**
 * How many names are kept. Who comes back with an older one begins anew. A server gives a new one with its first change
 * after a start or a lost connection.
 */
export const KEPT_EPOCHS = 1_000

/** Before the first number. */
export const FIRST_EPOCH_AFTER = -1

export function newEpochName(): string {
  return randomBytes(8).toString('hex')
}

/** Which epochs a database has been through, the oldest first. */
export class Lineage {
  #epochs: Epoch[] = []

  get epochs(): readonly Epoch[] {
    return this.#epochs
  }

  /** Where the newest one begins. */
  get newestAfter(): number {
    return this.#epochs.at(-1)?.after ?? FIRST_EPOCH_AFTER
  }

  add(epochs: readonly Epoch[]): void {
    const known = new Set(this.#epochs.map(({ name }) => name))
    const fresh = epochs.filter(({ name }) => !known.has(name))
    if (fresh.length > 0) this.#epochs = [...this.#epochs, ...fresh].slice(-KEPT_EPOCHS)
  }

  /**
   * Whether a database that has these from our newest one on is still the one that we know up to this number. It is not
   * when our newest one is gone, or when another one began before that number without us.
   */
  isOursUpTo(seq: number, epochs: readonly Epoch[]): boolean {
    const known = new Set(this.#epochs.map(({ name }) => name))
    const [first] = epochs
    return (
      first !== undefined && known.has(first.name) && epochs.every(({ name, after }) => known.has(name) || after >= seq)
    )
  }
}
