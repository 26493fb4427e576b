import { printable } from '../check-error.ts'
import { isRecord, parseJson } from '../untrusted-json.ts'
import type { HostClock, HostSnapshot, Listing, OtherFacts, Path64, PathFacts, Watched } from './host-snapshot.ts'

/**
 * Reads a host's answer to a look. The host is whoever has taken it over: an answer counts only when it covers
 * exactly what was asked, in order, and each of its parts is what it should be. Otherwise the sentence says why not.
 */
export function parseSnapshot(payload: Buffer, watched: Watched): HostSnapshot | { readonly why: string } {
  const answer = parseJson(payload.toString('latin1')) // the agent sends ASCII
  if (!isRecord(answer)) return { why: 'it is no JSON object' }
  const clock = clockIn(answer.clock)
  if (clock === null) return { why: 'it has no clock' }
  const paths = entriesIn(answer.paths, watched.paths, pathFacts)
  if ('why' in paths) return { why: `paths: ${paths.why}` }
  const listings = entriesIn(
    answer.listings,
    watched.listings.map(({ path }) => path),
    listing,
  )
  if ('why' in listings) return { why: `listings: ${listings.why}` }
  return { clock, paths: paths.entries, listings: listings.entries }
}

/**
 * The most bytes that an honest answer has: for each path its facts, with a link's target of 4,096 bytes; for each
 * listing as much as the agent lists before it gives up.
 */
export function maxAnswerBytes({ paths, listings }: Watched): number {
  const bytes = paths.map((path) => path.length + 8_192)
  const ofListings = listings.map(({ path }) => path.length + 2 * 1024 * 1024)
  return [...bytes, ...ofListings].reduce((sum, each) => sum + each, 1_024)
}

type Entries<T> = { readonly entries: ReadonlyMap<Path64, T> } | { readonly why: string }

function entriesIn<T>(
  value: unknown,
  asked: readonly Path64[],
  read: (entry: Readonly<Record<string, unknown>>) => T | null,
): Entries<T> {
  if (!Array.isArray(value)) return { why: 'not a list' }
  if (value.length !== asked.length) return { why: `${value.length} answers to ${asked.length} questions` }
  const entries = new Map<Path64, T>()
  for (const [index, path] of asked.entries()) {
    const entry: unknown = value[index]
    if (!isRecord(entry) || entry.path !== path) return { why: `number ${index + 1} is about something else` }
    const facts = read(entry)
    if (facts === null) return { why: `number ${index + 1} is not understood` }
    entries.set(path, facts)
  }
  return { entries }
}

function pathFacts(entry: Readonly<Record<string, unknown>>): PathFacts | null {
  const { kind, mode, owner, group, uid, gid, size, links, sha256, sha1, target } = entry
  if (kind === 'missing') return { kind }
  if (kind === 'unreadable') return unreadable(entry)

  const [mtime, ctime, inode, device] = [entry.mtime, entry.ctime, entry.inode, entry.device].map(wholeNumber)
  if (mtime == null || ctime == null || inode == null || device == null) return null
  if (!isMode(mode) || !isName(owner) || !isName(group) || !isId(uid) || !isId(gid)) return null
  const common = { mode, owner, group, uid, gid, mtime, ctime, inode, device }

  if (kind === 'file') {
    const bytes = wholeNumber(size)
    if (bytes === null || bytes < 0n || !isId(links) || !isHash(sha256, 64) || !isHash(sha1, 40)) return null
    return { kind, ...common, size: bytes, links, sha256, sha1 }
  }
  if (!isOtherKind(kind)) return null
  if (kind === 'link' ? !isBase64(target) : target !== null) return null
  return { kind, ...common, target: kind === 'link' ? String(target) : null }
}

function listing(entry: Readonly<Record<string, unknown>>): Listing | null {
  const { kind, entries } = entry
  if (kind === 'missing') return { kind }
  if (kind === 'unreadable') return unreadable(entry)
  if (kind !== 'entries' || !Array.isArray(entries) || entries.length > MAX_ENTRIES) return null
  let before = ''
  for (const name of entries) {
    // Each once, and in order.
    if (typeof name !== 'string' || !/^[fdlpso]/.test(name) || !isBase64(name.slice(1)) || name <= before) return null
    before = name
  }
  return { kind, entries }
}

function unreadable({ reason }: Readonly<Record<string, unknown>>): { kind: 'unreadable'; reason: string } | null {
  return typeof reason === 'string' ? { kind: 'unreadable', reason: printable(reason.slice(0, 200)) } : null
}

function clockIn(value: unknown): HostClock | null {
  if (!isRecord(value)) return null
  const realtime = wholeNumber(value.realtime)
  const boottime = wholeNumber(value.boottime)
  const bootId = value.boot_id
  if (realtime === null || boottime === null || typeof bootId !== 'string') return null
  return /^[0-9a-f-]{36}$/.test(bootId) ? { realtime, boottime, bootId } : null
}

// As the agent has it.
const MAX_ENTRIES = 20_000
const OTHER_KINDS: readonly unknown[] = ['directory', 'link', 'fifo', 'socket', 'device']

function isOtherKind(value: unknown): value is OtherFacts['kind'] {
  return OTHER_KINDS.includes(value)
}

// A time before 1970 has a sign.
function wholeNumber(value: unknown): bigint | null {
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : null
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}

function isMode(value: unknown): value is string {
  return typeof value === 'string' && /^[0-7]{4}$/.test(value)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u.test(value)
}

function isHash(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]+$/.test(value)
}

// Node decodes whatever it is given: two answers could mean the same name.
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && Buffer.from(value, 'base64').toString('base64') === value
}
