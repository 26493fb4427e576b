import type { Named } from '../evidence.ts'
import type { Coverage } from '../judge.ts'
import type { HostAccess, NoHostAccess } from '../snapshot/host-access.ts'
import type { HostSnapshot, Listing, Path64, PathFacts, Watched } from '../snapshot/host-snapshot.ts'
import type { Binding } from './binding.ts'
import { keyed } from './keyed.ts'

/** What is remembered of one host between two checks. */
export interface Remembered {
  /** How the last run reached it and what it named: enough for a look before the next one. */
  readonly access: HostAccess | NoHostAccess
  readonly watched: Watched
  readonly certified: Certified | null
}

/** How a host stood when Ansible and two looks agreed that it matches Git. */
export interface Certified {
  readonly binding: Binding
  /** Of Git; null: it is not known, or there were changes that nobody had committed. */
  readonly commit: string | null
  readonly paths: ReadonlyMap<Path64, KnownFacts>
  readonly listings: ReadonlyMap<Path64, KnownListing>
  readonly coverage: Coverage
  /** How many of the results that compared something are about what is watched. */
  readonly watchedCount: number
  readonly unwatched: readonly Unwatched[]
  /** When the full check began that it stands on, by the clock of whoever checks. */
  readonly fullCheckAt: Date
  /** It was brought to this state by hand, and nothing was rolled out. */
  readonly isSameEdit: boolean
}

export interface Unwatched {
  readonly name: string
  readonly reason: string
}

/** Facts of a path with nothing in them that could be guessed back into a content. */
export type KnownFacts =
  | { readonly kind: 'missing'; readonly declared: Declared }
  | {
      readonly kind: Exclude<PathFacts['kind'], 'missing' | 'unreadable'>
      readonly mode: string
      readonly owner: string
      readonly group: string
      readonly uid: number
      readonly gid: number
      /** Keyed hash of a file's SHA-256, or of where a link points to. */
      readonly content: string | null
      readonly declared: Declared
    }

/** What of a path the run held against Git, besides whether it is there and of which kind. */
export type Declared = readonly Named['compares'][number][]

export type KnownListing =
  | { readonly kind: 'entries'; readonly entries: readonly string[]; readonly recurse: boolean }
  | { readonly kind: 'missing'; readonly recurse: boolean }

/** Null for what cannot be looked at: nothing is known of it. */
export function knownFacts(facts: PathFacts, key: Buffer, declared: Declared): KnownFacts | null {
  if (facts.kind === 'unreadable') return null
  if (facts.kind === 'missing') return { kind: 'missing', declared }
  const { kind, mode, owner, group, uid, gid } = facts
  const content = kind === 'file' ? facts.sha256 : facts.target
  return {
    kind,
    mode,
    owner,
    group,
    uid,
    gid,
    content: content === null ? null : keyed(key, 'content', content),
    declared,
  }
}

export function knownListing(listing: Listing, recurse: boolean): KnownListing | null {
  if (listing.kind === 'unreadable') return null
  return listing.kind === 'missing'
    ? { kind: 'missing', recurse }
    : { kind: 'entries', entries: listing.entries, recurse }
}

export function watchedIn({ paths, listings }: Pick<Certified, 'paths' | 'listings'>): Watched {
  return {
    paths: [...paths.keys()],
    listings: [...listings].map(([path, { recurse }]) => ({ path, recurse })),
  }
}

/** The facts of a look in the form in which they are kept. What could not be looked at is left out. */
export function knownOf(
  snapshot: HostSnapshot,
  {
    watched,
    declared,
    key,
  }: {
    readonly watched: Watched
    readonly declared: ReadonlyMap<Path64, Declared>
    readonly key: Buffer
  },
): Pick<Certified, 'paths' | 'listings'> {
  const paths = new Map<Path64, KnownFacts>()
  for (const path of watched.paths) {
    const seen = snapshot.paths.get(path)
    const known = seen && knownFacts(seen, key, declared.get(path) ?? [])
    if (known) paths.set(path, known)
  }
  const listings = new Map<Path64, KnownListing>()
  for (const { path, recurse } of watched.listings) {
    const seen = snapshot.listings.get(path)
    const known = seen && knownListing(seen, recurse)
    if (known) listings.set(path, known)
  }
  return { paths, listings }
}
