import { type Target, targetKey } from '../domain/report.ts'

/** A target shows something else than before. */
export interface Change {
  readonly target: Target
  readonly event: 'target' | 'removed'
  /** Number of the record that did it. Null: none did, the target was silent for too long. */
  readonly seq: number | null
}

/** What a log begins with. */
export interface Beginning {
  /** Number of the newest record. */
  readonly seq: number
  /** Every removal with a greater number is among `changes`. */
  readonly removalsKnownSince: number
  /** The newest change of each target, in the order of their numbers. */
  readonly changes: readonly (Change & { readonly seq: number })[]
}

/** A change at its place in the log. */
export interface Entry extends Change {
  /**
   * Where it stands: counts every change that this process saw, so that a reader can go on after any of them. Records'
   * numbers cannot do that, since many targets may fall silent between two records.
   */
  readonly place: number
  /** Number of the newest record when it came. */
  readonly after: number
}

interface Slot extends Entry {
  /** Its target has changed again, or its removal is forgotten. */
  isGone: boolean
}

export interface ChangeLog {
  append(change: Change): void
  /** Number of the newest record. */
  seq(): number
  /** The place of the newest change. Who has read up to here has read everything. */
  end(): number
  /** Removals up to this place are forgotten. Who has not read up to here has to begin anew. */
  forgotten(): number
  /**
   * The place after which someone has to go on who has seen everything up to this record. Null when that cannot be
   * said: the number is not from this database, or a removal since then is forgotten.
   */
  placeOf(seq: number): number | null
  /** The place of the oldest silence that is not over, as far as this log knows. Null when there is none. */
  oldestSilence(): number | null
  /** Entries after this place, oldest first. The log must not be appended to meanwhile. */
  entriesAfter(place: number): Iterable<Entry>
}

// Who was away for so many removals begins anew; a fleet that is rebuilt daily must not fill the memory.
const MAX_REMOVALS = 10_000
// Below this the gaps cost less than a look for them.
const MIN_SLOTS = 1_024

/**
 * The newest change of each target, in order: a compacted log. Reading on from any place ends in the final state of
 * every target, and takes no longer the longer someone was away.
 *
 * An entry enters at the end and leaves when its target changes again; a removal also when many others came after it.
 */
export function createChangeLog({ seq, removalsKnownSince, changes }: Beginning): ChangeLog {
  let newestSeq = 0
  let end = 0
  // In order of place. What has left the log still stands here until it is half of all.
  let slots: Slot[] = []
  const newest = new Map<string, Slot>()
  const removals = new Set<string>()
  const silences = new Set<Slot>() // in order of place, too
  let forgotten = { place: 0, seq: removalsKnownSince }

  for (const change of changes) append(change)
  newestSeq = Math.max(newestSeq, seq)

  function append(change: Change): void {
    if (change.seq !== null) newestSeq = Math.max(newestSeq, change.seq)
    const { target, event, seq } = change
    const key = targetKey(target)
    const slot = { target, event, seq, place: ++end, after: newestSeq, isGone: false }
    const before = newest.get(key)
    if (before !== undefined) leave(before)
    slots.push(slot)
    newest.set(key, slot)
    if (seq === null) silences.add(slot)

    removals.delete(key)
    if (change.event === 'removed') removals.add(key)
    if (removals.size > MAX_REMOVALS) forgetOldestRemoval()
    if (slots.length > MIN_SLOTS && slots.length > 2 * newest.size) slots = slots.filter(({ isGone }) => !isGone)
  }

  function leave(slot: Slot): void {
    slot.isGone = true
    silences.delete(slot)
  }

  function forgetOldestRemoval(): void {
    const [key] = removals
    const slot = key === undefined ? undefined : newest.get(key)
    if (key === undefined || slot === undefined) return
    leave(slot)
    removals.delete(key)
    newest.delete(key)
    forgotten = { place: slot.place, seq: Math.max(forgotten.seq, slot.after) }
  }

  return {
    append,
    seq: () => newestSeq,
    end: () => end,
    forgotten: () => forgotten.place,

    oldestSilence() {
      const [oldest] = silences
      return oldest?.place ?? null
    },

    placeOf(seen) {
      if (!Number.isSafeInteger(seen) || seen < forgotten.seq || seen > newestSeq) return null
      // Silence after the newest record that someone saw has no number to tell whether they saw it: again, then.
      const unseen =
        slots[firstIndex(slots, (entry) => (entry.seq === null ? entry.after >= seen : entry.after > seen))]
      return unseen === undefined ? end : unseen.place - 1
    },

    *entriesAfter(place) {
      for (let index = firstIndex(slots, (slot) => slot.place > place); index < slots.length; index++) {
        const slot = slots[index]
        if (slot !== undefined && !slot.isGone) yield slot
      }
    },
  }
}

/** Index of the first for which it is true, in a list where it stays true from then on; the length if there is none. */
function firstIndex<Item>(items: readonly Item[], isTrue: (item: Item) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && isTrue(item)) high = middle
    else low = middle + 1
  }
  return low
}
