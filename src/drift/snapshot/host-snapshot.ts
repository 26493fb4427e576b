import type { CheckError } from '../check-error.ts'

/** Raw bytes of a whole path in Base64: the only form in which every name survives. */
export type Path64 = string

/** What to look at on one host. Links are never followed. */
export interface Watched {
  readonly paths: readonly Path64[]
  /** Directories of which the entries count: what a task looked through to find what does not belong there. */
  readonly listings: readonly { readonly path: Path64; readonly recurse: boolean }[]
}

/** One look at one host, or why there is none. Nothing in between: a part of an answer is no answer. */
export type SnapshotResult = { readonly snapshot: HostSnapshot } | { readonly error: CheckError }

export interface HostSnapshot {
  readonly clock: HostClock
  /** One for each path that was asked for. */
  readonly paths: ReadonlyMap<Path64, PathFacts>
  readonly listings: ReadonlyMap<Path64, Listing>
}

/** The host's own clocks as the look began. Together they tell whether somebody has set the first one since. */
export interface HostClock {
  /** Nanoseconds since 1970. */
  readonly realtime: bigint
  /** Nanoseconds since the host started, sleep included. */
  readonly boottime: bigint
  readonly bootId: string
}

export type PathFacts =
  | { readonly kind: 'missing' }
  /** It cannot be looked at. That is not missing: nothing is known of it. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | FileFacts
  | OtherFacts

interface InodeFacts {
  /** Four octal digits. */
  readonly mode: string
  readonly owner: string
  readonly group: string
  readonly uid: number
  readonly gid: number
  /** Nanoseconds since 1970, by the host's clock. */
  readonly mtime: bigint
  readonly ctime: bigint
  readonly inode: bigint
  readonly device: bigint
}

/** A plain file. Its hashes are of what stood in it while size, times and inode did not change. */
export interface FileFacts extends InodeFacts {
  readonly kind: 'file'
  readonly size: bigint
  readonly links: number
  readonly sha256: string
  readonly sha1: string
}

export interface OtherFacts extends InodeFacts {
  readonly kind: 'directory' | 'link' | 'fifo' | 'socket' | 'device'
  /** Where a link points to, raw bytes in Base64. */
  readonly target: string | null
}

export type Listing =
  /** Names relative to the directory, raw bytes in Base64, each with a letter for its kind (f d l p s o), sorted. */
  | { readonly kind: 'entries'; readonly entries: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }
