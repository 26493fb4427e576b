// So many new names are sorted and merged in a few milliseconds, into a million of them in some forty.
const MERGED_AT_ONCE = 10_000

/** The names of all targets in order. A fleet that reports for the first time must not be sorted whole again and again. */
export class SortedKeys {
  #sorted: string[] = []
  #added: string[] = []

  /** A name that is not in it yet. */
  add(name: string): void {
    this.#added.push(name)
    if (this.#added.length >= MERGED_AT_ONCE) this.#merge()
  }

  remove(name: string): void {
    this.#merge()
    this.#sorted = this.#sorted.filter((one) => one !== name)
  }

  inOrder(): readonly string[] {
    this.#merge()
    return this.#sorted
  }

  #merge(): void {
    if (this.#added.length === 0) return
    const added = this.#added.sort() // by code units, as the names are compared everywhere
    this.#added = []
    const merged: string[] = []
    let next = 0
    for (const name of this.#sorted) {
      for (let one = added[next]; one !== undefined && one < name; one = added[next]) {
        merged.push(one)
        next++
      }
      merged.push(name)
    }
    for (; next < added.length; next++) merged.push(added[next] ?? '')
    this.#sorted = merged
  }
}
