import { setImmediate as nextTurn } from 'node:timers/promises'

// Whoever asks about the past of a fleet must not keep its reports waiting: after so many, which takes a few
// milliseconds, the event loop gets its turn.
const AT_ONCE = 500

export async function eachInTurns<Item>(items: Iterable<Item>, take: (item: Item) => void): Promise<void> {
  let taken = 0
  for (const item of items) {
    take(item)
    if (++taken % AT_ONCE === 0) await nextTurn()
  }
}

export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  resultOf: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = []
  await eachInTurns(items, (item) => results.push(resultOf(item)))
  return results
}

/** What `toSorted` gives. */
export async function sortInTurns<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Promise<readonly Item[]> {
  let parts: (readonly Item[])[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) {
    parts.push(items.slice(at, at + AT_ONCE).sort(compare))
    await nextTurn()
  }
  while (parts.length > 1) {
    const merged: (readonly Item[])[] = []
    for (let at = 0; at < parts.length; at += 2) {
      const all: Item[] = []
      await eachInTurns(mergedOf(parts[at] ?? [], parts[at + 1] ?? [], compare), (item) => all.push(item))
      merged.push(all)
    }
    parts = merged
  }
  return parts[0] ?? []
}

function* mergedOf<Item>(
  a: readonly Item[],
  b: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Iterable<Item> {
  let [atA, atB] = [0, 0]
  for (;;) {
    const [one, other] = [a[atA], b[atB]]
    if (one === undefined && other === undefined) return
    if (other === undefined || (one !== undefined && compare(one, other) <= 0)) {
      atA++
      yield one as Item // the other one is not there, or comes later
    } else {
      atB++
      yield other
    }
  }
}
