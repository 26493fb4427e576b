import type { HostEvidence, Named } from '../evidence.ts'
import { readablePath } from '../file-name.ts'
import { MARGIN_NS, whyClockBroke } from '../snapshot/host-clock.ts'
import type { HostClock, HostSnapshot, Path64, PathFacts, Watched } from '../snapshot/host-snapshot.ts'
import type { Declared, Unwatched } from './baseline.ts'

/** What two looks around a full check say about a host that the check called SYNCED. */
export type Blessing =
  /** What the check saw was there before it, all the time and after it. */
  | ({ readonly kind: 'blessed' } & Watching)
  /** The host is not now what it was: somebody worked on it meanwhile, and the check may have seen either. */
  | { readonly kind: 'edited'; readonly paths: readonly Path64[] }
  /** It is as it was, but not untouched: the check may have seen something else in between. */
  | { readonly kind: 'touched'; readonly paths: readonly Path64[] }
  /** Nothing speaks against the check, and too little for it to certify anything. */
  | { readonly kind: 'not_yet'; readonly why: string }

export interface Watching {
  readonly watched: Watched
  readonly declared: ReadonlyMap<Path64, Declared>
  readonly watchedCount: number
  readonly unwatched: readonly Unwatched[]
}

export type Seen = Pick<HostEvidence, 'named' | 'listed' | 'looked_for'>

export interface Observed {
  /** The look before the check; null: there was none. */
  readonly before: HostSnapshot | null
  /** The look after it, at all of `toLookAtAfter`. */
  readonly after: HostSnapshot
  /** What the check itself named. */
  readonly seen: Seen
}

/** All that a run named, looked for or looked through. */
export function watchedOf({ named, listed, looked_for }: Seen): Watched {
  const paths = named.flatMap(({ path_base64 }) => (path_base64 === null ? [] : [path_base64]))
  const recurse = new Map<Path64, boolean>()
  for (const { path_base64: path, recurse: deep } of listed) recurse.set(path, (recurse.get(path) ?? false) || deep)
  return {
    paths: [...new Set([...paths, ...looked_for])].sort(),
    listings: [...recurse].map(([path, deep]) => ({ path, recurse: deep })).sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
}

/**
 * What the look after a check asks for. Of what the look before did not ask for that is every directory on the way as
 * well: only the time of its last change tells that nothing was moved into its place.
 */
export function toLookAtAfter(watched: Watched, before: HostSnapshot | null): Watched {
  const paths = watched.paths.filter((path) => !before?.paths.has(path))
  const directories = watched.listings.flatMap(({ path }) => (before?.listings.has(path) ? [] : [path]))
  return {
    ...watched,
    paths: [...new Set([...watched.paths, ...directories, ...[...paths, ...directories].flatMap(directoriesOf)])],
  }
}

export function bless({ before, after, seen }: Observed): Blessing {
  if (before === null) return { kind: 'not_yet', why: 'there was no look before the check' }
  const clock = whyClockBroke(before.clock, after.clock)
  if (clock !== null) return { kind: 'not_yet', why: clock }

  const watched = watchedOf(seen)
  const declared = declaredBy(seen)
  const found: Record<Finding, Path64[]> = { same: [], edited: [], touched: [], not_yet: [], unreadable: [] }
  for (const path of watched.paths) found[findingOn(path, declared.get(path) ?? [], before, after)].push(path)
  for (const { path, recurse } of watched.listings) found[findingOnListing(path, recurse, before, after)].push(path)
  const edited = [...found.edited, ...contradicted(seen.named, after)]

  if (edited.length > 0) return { kind: 'edited', paths: [...new Set(edited)] }
  if (found.touched.length > 0) return { kind: 'touched', paths: found.touched }
  if (found.not_yet.length > 0) {
    return { kind: 'not_yet', why: `${shown(found.not_yet)} may have been changed just before the check` }
  }
  const unreadable = new Set(found.unreadable)
  const kept = {
    paths: watched.paths.filter((path) => !unreadable.has(path)),
    listings: watched.listings.filter(({ path }) => !unreadable.has(path)),
  }
  return { kind: 'blessed', watched: kept, declared, ...coverageOf(seen.named, after, unreadable) }
}

/** Paths for a sentence: the first, and how many more. */
export function shown(paths: readonly Path64[]): string {
  const [first = '', ...others] = paths
  const name = readablePath(Buffer.from(first, 'base64'))
  return others.length === 0 ? name : `${name} and ${others.length} more`
}

type Finding = 'same' | 'edited' | 'touched' | 'not_yet' | 'unreadable'

function declaredBy({ named }: Seen): ReadonlyMap<Path64, Declared> {
  const declared = new Map<Path64, Declared>()
  for (const { path_base64: path, compares } of named) {
    if (path !== null) declared.set(path, [...new Set([...(declared.get(path) ?? []), ...compares])])
  }
  return declared
}

function findingOn(path: Path64, declared: Declared, before: HostSnapshot, after: HostSnapshot): Finding {
  const now = after.paths.get(path)
  if (now === undefined) return 'not_yet'
  const then = before.paths.get(path)
  if (now.kind === 'unreadable') return then === undefined || then.kind === 'unreadable' ? 'unreadable' : 'edited'
  if (then === undefined || then.kind === 'unreadable') {
    return isOlder([now, ...onTheWay(path, after)], before.clock) ? 'same' : 'not_yet'
  }
  if (!isSameState(then, now, declared)) return 'edited'
  return declared.length === 0 || isUntouched(then, now, declared) ? 'same' : 'touched'
}

function findingOnListing(path: Path64, recurse: boolean, before: HostSnapshot, after: HostSnapshot): Finding {
  const [then, now] = [before.listings.get(path), after.listings.get(path)]
  if (now === undefined) return 'not_yet'
  if (now.kind === 'unreadable') return then === undefined || then.kind === 'unreadable' ? 'unreadable' : 'edited'
  if (then !== undefined && then.kind !== 'unreadable') {
    return JSON.stringify(then) === JSON.stringify(now) ? 'same' : 'edited'
  }
  // The time of a directory says nothing about the directories in it.
  const itself = after.paths.get(path)
  if (recurse || itself === undefined) return 'not_yet'
  return isOlder([itself, ...onTheWay(path, after)], before.clock) ? 'same' : 'not_yet'
}

/** Ansible gave another checksum than the file has. */
function contradicted(named: readonly Named[], after: HostSnapshot): Path64[] {
  return named.flatMap(({ path_base64: path, sha1 }) => {
    if (path === null || sha1 === null) return []
    const now = after.paths.get(path)
    return now?.kind === 'missing' || (now?.kind === 'file' && now.sha1 !== sha1) ? [path] : []
  })
}

function isSameState(then: PathFacts, now: PathFacts, declared: Declared): boolean {
  if (then.kind === 'missing' || now.kind === 'missing') return then.kind === now.kind
  if (then.kind === 'unreadable' || now.kind === 'unreadable' || then.kind !== now.kind) return false
  return declared.every((one) => {
    if (one === 'mode') return then.mode === now.mode
    if (one === 'owner') return then.owner === now.owner && then.uid === now.uid
    if (one === 'group') return then.group === now.group && then.gid === now.gid
    return contentOf(then) === contentOf(now)
  })
}

function isUntouched(then: PathFacts, now: PathFacts, declared: Declared): boolean {
  if (!('inode' in then && 'inode' in now)) return true
  if (then.inode !== now.inode || then.device !== now.device) return false
  if (then.ctime === now.ctime && then.mtime === now.mtime) return true
  // Of a log only the mode may be Git's: what is written into it, as what is put into a directory, sets its mtime too.
  const isContentOurs = declared.includes('content') || declared.includes('part_of_content')
  return !isContentOurs && then.mtime !== now.mtime
}

function contentOf(facts: Exclude<PathFacts, { kind: 'missing' | 'unreadable' }>): string | null {
  return facts.kind === 'file' ? facts.sha256 : facts.target
}

/** Nothing of it has changed since a second before the clock was read, by times that only the kernel sets. */
function isOlder(facts: readonly PathFacts[], { realtime }: HostClock): boolean {
  return facts.every((one) => {
    if (one.kind === 'unreadable') return false
    return one.kind === 'missing' || one.ctime < realtime - MARGIN_NS
  })
}

function onTheWay(path: Path64, after: HostSnapshot): PathFacts[] {
  return directoriesOf(path).map((directory) => after.paths.get(directory) ?? { kind: 'unreadable', reason: '' })
}

/** Every directory above a path, the root included. */
function directoriesOf(path: Path64): Path64[] {
  const bytes = Buffer.from(path, 'base64')
  const found = []
  for (let end = bytes.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : bytes.lastIndexOf('/', end - 1)) {
    found.push(bytes.subarray(0, Math.max(end, 1)).toString('base64'))
  }
  return found
}

function coverageOf(
  named: readonly Named[],
  after: HostSnapshot,
  unreadable: ReadonlySet<Path64>,
): Pick<Watching, 'watchedCount' | 'unwatched'> {
  const unwatched = named.flatMap(({ task, path_base64: path, why, sha1 }): Unwatched[] => {
    if (path === null) return [{ name: task, reason: why ?? 'no_path' }]
    if (unreadable.has(path)) return [{ name: task, reason: 'unreadable' }]
    // Its bytes are elsewhere: of these a look at the path says nothing.
    const isElsewhere = sha1 !== null && after.paths.get(path)?.kind !== 'file'
    return isElsewhere ? [{ name: task, reason: 'more_than_bytes' }] : []
  })
  const each = new Map(unwatched.map((one) => [JSON.stringify(one), one]))
  return { watchedCount: named.length - unwatched.length, unwatched: [...each.values()] }
}
