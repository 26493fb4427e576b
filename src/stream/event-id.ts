import type { Epoch } from '../domain/epoch.ts'

// A number alone says nothing to another database, or to this one after a backup of it was restored: they give the same
// numbers to other changes, and who goes on from there would miss some without a word.
//
// And it says nothing of silence, which has no numbers. Each server finds it out by its own clock, so who comes from
// another one, or from this one before it was started anew, may have heard otherwise.

/** How far a client has come. */
export interface Seen {
  /** It has seen everything up to this number. */
  readonly seq: number
  /** It has heard all that this server said of silence up to then. Null: nobody can say of whom it heard what. */
  readonly server: string | null
}

export function eventIdOf({ seq, server }: Seen, epochs: readonly Epoch[]): string {
  const known = `${seq}-${epochs.at(-1)?.name}`
  return server === null ? known : `${known}-${server}`
}

/** What an id says that came back. Null when its number does not stand for the same changes here. */
export function seenIn(id: string, epochs: readonly Epoch[]): Seen | null {
  const [, digits, name, server = null] = /^(\d{1,16})-(\w{1,64})(?:-(\w{1,64}))?$/.exec(id) ?? []
  const index = epochs.findIndex((epoch) => epoch.name === name)
  if (index === -1) return null
  const seq = Number(digits)
  const next = epochs[index + 1]
  return next !== undefined && seq > next.after ? null : { seq, server }
}
