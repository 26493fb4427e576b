import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Coverage } from '../judge.ts'
import type { HostAccess, NoHostAccess } from '../snapshot/host-access.ts'
import type { Watched } from '../snapshot/host-snapshot.ts'
import { isRecord, parseJson } from '../untrusted-json.ts'
import type { Certified, KnownFacts, KnownListing, Remembered, Unwatched } from './baseline.ts'
import { BINDING_PARTS, type Binding } from './binding.ts'
import { seal, unseal } from './sealed.ts'
import { openStateDirectory, ownKey, readOwnFile, Untrusted, writeOwnFile } from './state-directory.ts'

/** What is kept between checks, one file for each host of a check. */
export interface Baselines {
  readonly key: Buffer
  /** What is remembered of a host; null: nothing. `void`: there is a file, and why nothing of it is taken. */
  read(host: string): { readonly remembered: Remembered | null } | { readonly void: string }
  write(host: string, remembered: Remembered): void
}

/** Of which check: the same host may be checked against several repositories. */
export interface CheckName {
  readonly directory: string
  readonly playbook: string
  readonly inventory: string
}

const FORMAT = 1

/**
 * Opens the directory in which baselines are kept, and the key by which they are sealed.
 * @throws Untrusted when others could have written there, or what the file system says.
 */
export function openBaselines(
  stateDirectory: string,
  { check, key: givenKey }: { readonly check: CheckName; readonly key: string | null },
): Baselines {
  openStateDirectory(stateDirectory)
  const directory = join(stateDirectory, 'baselines')
  openStateDirectory(directory)
  const key = givenKey === null ? ownKey(stateDirectory) : createHash('sha256').update(givenKey).digest()
  const fileOf = (id: string) => join(directory, `${id}.json`)

  return {
    key,
    read(host) {
      const id = idOf(check, host)
      try {
        const text = readOwnFile(fileOf(id))
        return text === null ? { remembered: null } : open(text, id, key)
      } catch (error) {
        if (error instanceof Untrusted) return { void: error.message }
        if (isFileError(error)) return { void: error.message }
        throw error
      }
    },
    write(host, remembered) {
      const id = idOf(check, host)
      writeOwnFile(fileOf(id), seal(bodyOf(id, remembered), key))
    },
  }
}

export function isFileError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}

/** Names the files that are kept of one host in one check. */
export function idOf({ directory, playbook, inventory }: CheckName, host: string): string {
  return createHash('sha256')
    .update(JSON.stringify([directory, playbook, inventory, host]))
    .digest('hex')
    .slice(0, 40)
}

function open(text: string, id: string, key: Buffer): ReturnType<Baselines['read']> {
  const body = unseal(text, key)
  if (body === null) return { void: 'its seal does not fit: it was changed, or sealed with another key' }
  const value = parseJson(body)
  if (!isRecord(value) || value.format !== FORMAT) return { void: 'it is of another version of gitops-status' }
  if (value.id !== id) return { void: 'it is about another host, or another check' }
  const remembered = parseRemembered(value)
  return remembered === null ? { void: 'it was not understood' } : { remembered }
}

function bodyOf(id: string, { access, watched, certified }: Remembered): string {
  return JSON.stringify({
    format: FORMAT,
    id,
    access,
    watched,
    certified: certified && {
      ...certified,
      paths: [...certified.paths],
      listings: [...certified.listings],
      fullCheckAt: certified.fullCheckAt.toISOString(),
    },
  })
}

function parseRemembered({ access, watched, certified }: Record<string, unknown>): Remembered | null {
  if (!isAccess(access) || !isWatched(watched)) return null
  if (certified === null) return { access, watched, certified }
  const known = parseCertified(certified)
  return known && { access, watched, certified: known }
}

function parseCertified(value: unknown): Certified | null {
  if (!isRecord(value)) return null
  const { binding, commit, paths, listings, coverage, watchedCount, unwatched, fullCheckAt, isSameEdit } = value
  if (
    !isBinding(binding) ||
    !(commit === null || isString(commit)) ||
    !isArrayOf(paths, isPair(isKnownFacts)) ||
    !isArrayOf(listings, isPair(isKnownListing)) ||
    !isCoverage(coverage) ||
    !isCount(watchedCount) ||
    !isArrayOf(unwatched, isUnwatched) ||
    !isTime(fullCheckAt) ||
    typeof isSameEdit !== 'boolean'
  )
    return null
  return {
    binding,
    commit,
    paths: new Map(paths),
    listings: new Map(listings),
    coverage,
    watchedCount,
    unwatched,
    fullCheckAt: new Date(fullCheckAt),
    isSameEdit,
  }
}

function isAccess(value: unknown): value is HostAccess | NoHostAccess {
  if (!isRecord(value)) return false
  if (isString(value.why)) return true
  const { host, port, user, keyFile, sshArgs, python, become } = value
  return (
    isString(host) &&
    (port === null || isCount(port)) &&
    [user, keyFile, python, become].every((one) => one === null || isString(one)) &&
    isArrayOf(sshArgs, isString)
  )
}

function isWatched(value: unknown): value is Watched {
  return (
    isRecord(value) &&
    isArrayOf(value.paths, isString) &&
    isArrayOf(
      value.listings,
      (one): one is Watched['listings'][number] =>
        isRecord(one) && isString(one.path) && typeof one.recurse === 'boolean',
    )
  )
}

function isBinding(value: unknown): value is Binding {
  return isRecord(value) && Object.keys(BINDING_PARTS).every((part) => isString(value[part]))
}

const DECLARED: readonly unknown[] = ['content', 'part_of_content', 'mode', 'owner', 'group']
const KINDS: readonly unknown[] = ['file', 'directory', 'link', 'fifo', 'socket', 'device']

function isKnownFacts(value: unknown): value is KnownFacts {
  if (!isRecord(value) || !isArrayOf(value.declared, isDeclared)) return false
  const { kind, mode, owner, group, uid, gid, content } = value
  return (
    kind === 'missing' ||
    (KINDS.includes(kind) &&
      [mode, owner, group].every(isString) &&
      [uid, gid].every(isCount) &&
      (content === null || isString(content)))
  )
}

function isDeclared(value: unknown): value is KnownFacts['declared'][number] {
  return DECLARED.includes(value)
}

function isKnownListing(value: unknown): value is KnownListing {
  if (!isRecord(value) || typeof value.recurse !== 'boolean') return false
  return value.kind === 'missing' || (value.kind === 'entries' && isArrayOf(value.entries, isString))
}

function isCoverage(value: unknown): value is Coverage {
  return isRecord(value) && isCount(value.checked) && isCount(value.total) && isArrayOf(value.unchecked, isUnwatched)
}

function isUnwatched(value: unknown): value is Unwatched {
  return isRecord(value) && isString(value.name) && isString(value.reason)
}

function isPair<T>(isValue: (value: unknown) => value is T): (value: unknown) => value is [string, T] {
  return (value): value is [string, T] =>
    Array.isArray(value) && value.length === 2 && isString(value[0]) && isValue(value[1])
}

function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem)
}

function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
