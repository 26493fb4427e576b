import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CheckName, idOf, isFileError } from '../baseline/baseline-file.ts'
import { seal, unseal } from '../baseline/sealed.ts'
import { openStateDirectory, readOwnFile, Untrusted, writeOwnFileSoon } from '../baseline/state-directory.ts'
import type { HostClock, Path64 } from '../snapshot/host-snapshot.ts'
import { isRecord, parseJson } from '../untrusted-json.ts'
import type { Span } from './blame.ts'

/** What is remembered of a host, to tell who changes a file next. */
export interface Trail {
  /** The host's clock at the last look. */
  readonly lookedAt: HostClock
  /** Whatever was changed after the last check was changed after that look. */
  readonly isKnownSince: boolean
  /** Between which moments of our own clock that was, in seconds since 1970. */
  readonly readBetween: Span
  /** When our own checks may have been logged in, by the host's clock: since then, and shortly before. */
  readonly ownChecks: readonly Span[]
  /** Files that had more than one name then; null: that is not known of all. */
  readonly linked: readonly Path64[] | null
  /** Who was named for each file that differs, and in which state the file was then. */
  readonly named: ReadonlyMap<Path64, Named>
}

export interface Named {
  readonly state: string
  /** The short text; null: nobody could be named. */
  readonly by: string | null
}

export interface Trails {
  /** Null: nothing that could be trusted is known. */
  read(host: string): Trail | null
  /** @returns why it could not be kept; null: it was. */
  write(host: string, trail: Trail | null): string | null
}

const FORMAT = 1

/** Beside the baselines, one file for each host. @throws Untrusted when others could have written there, or what the file system says. */
export function openTrails(stateDirectory: string, { check, key }: { check: CheckName; key: Buffer }): Trails {
  const directory = join(stateDirectory, 'trails')
  openStateDirectory(directory)
  return {
    read(host) {
      const id = idOf(check, host)
      try {
        const body = unseal(readOwnFile(join(directory, `${id}.json`)) ?? '', key)
        return body === null ? null : parseTrail(parseJson(body), id)
      } catch (error) {
        if (error instanceof Untrusted || isFileError(error)) return null
        throw error
      }
    },
    write(host, trail) {
      const id = idOf(check, host)
      try {
        const file = join(directory, `${id}.json`)
        if (trail === null) rmSync(file, { force: true })
        else writeOwnFileSoon(file, seal(bodyOf(id, trail), key))
        return null
      } catch (error) {
        if (isFileError(error)) return error.message
        throw error
      }
    },
  }
}

function bodyOf(id: string, { lookedAt, named, ...trail }: Trail): string {
  const { realtime, boottime, bootId } = lookedAt
  return JSON.stringify({
    kind: 'trail',
    format: FORMAT,
    id,
    ...trail,
    lookedAt: { realtime: String(realtime), boottime: String(boottime), bootId },
    named: [...named],
  })
}

/** It is sealed, so nobody but us wrote it: another form is that of another version. */
function parseTrail(value: unknown, id: string): Trail | null {
  if (!isRecord(value) || value.kind !== 'trail' || value.format !== FORMAT || value.id !== id) return null
  const { lookedAt, isKnownSince, readBetween, ownChecks, linked, named } = value
  const clock = clockFrom(lookedAt)
  if (typeof isKnownSince !== 'boolean') return null
  if (clock === null || !isSpan(readBetween) || !Array.isArray(ownChecks) || !ownChecks.every(isSpan)) return null
  if (!(linked === null || (Array.isArray(linked) && linked.every(isString)))) return null
  if (!Array.isArray(named) || !named.every(isNamed)) return null
  return { lookedAt: clock, isKnownSince, readBetween, ownChecks, linked, named: new Map(named) }
}

function clockFrom(value: unknown): HostClock | null {
  if (!isRecord(value)) return null
  const { realtime, boottime, bootId } = value
  if (!isNanoseconds(realtime) || !isNanoseconds(boottime) || !isString(bootId)) return null
  return { realtime: BigInt(realtime), boottime: BigInt(boottime), bootId }
}

function isNamed(value: unknown): value is [Path64, Named] {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [path, named] = value as readonly unknown[]
  return isString(path) && isRecord(named) && isString(named.state) && (named.by === null || isString(named.by))
}

function isSpan(value: unknown): value is Span {
  return isRecord(value) && Number.isFinite(value.from) && Number.isFinite(value.to)
}

function isNanoseconds(value: unknown): value is string {
  return isString(value) && /^-?\d{1,21}$/.test(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
