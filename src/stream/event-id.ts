import type { Epoch } from '../domain/epoch.ts'

// A number alone says nothing to another database, or to this one after a backup of it was restored: they give the same
// numbers to other changes, and who goes on from there would miss some without a word.

/** Says "everything up to this number, as this database has it". */
export function eventIdOf(seq: number, epochs: readonly Epoch[]): string {
  return `${seq}-${epochs.at(-1)?.name}`
}

/** The number in an id that came back. Null when it does not stand for the same changes here. */
export function seqIn(id: string, epochs: readonly Epoch[]): number | null {
  const [, digits, name] = /^(\d{1,16})-(\w{1,64})$/.exec(id) ?? []
  const index = epochs.findIndex((epoch) => epoch.name === name)
  if (index === -1) return null
  const seq = Number(digits)
  const next = epochs[index + 1]
  return next !== undefined && seq > next.after ? null : seq
}
