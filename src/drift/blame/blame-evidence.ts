import { isRecord, parseJson } from '../untrusted-json.ts'

/**
 * What a host knows of who may have changed some files, as `ansible/agent/gitops_status_blame.py` gathers it. Facts
 * only; who it was is judged in `blame.ts`. Every time is in seconds since 1970 by the host's own clock.
 */
export interface BlameEvidence {
  readonly clock: { readonly realtime: bigint; readonly boottime: bigint; readonly bootId: string }
  /** Who looked. Another than root may have been shown less than there is. */
  readonly uid: number
  /** The SSH connection by which the host was asked. */
  readonly connection: Peer | null
  readonly users: ReadonlyMap<number, string>
  /** One for each path that was asked for, in that order. */
  readonly files: readonly BlamedFile[]
  readonly sources: readonly BlameSource[]
  /** Logins by wtmp, which users cannot write. */
  readonly logins: readonly Login[]
  readonly entries: readonly LogEntry[]
  readonly packageRuns: readonly PackageRun[]
  readonly audit: AuditTrail
}

export interface Peer {
  readonly from: string
  readonly port: number
}

export type BlamedFile =
  | { readonly kind: 'missing'; readonly directoryMtime: number | null }
  | { readonly kind: 'unreadable'; readonly directoryMtime: number | null }
  | {
      readonly kind: 'there'
      readonly uid: number
      readonly mtime: number
      readonly ctime: number
      readonly inode: string
      readonly links: number
      readonly directoryMtime: number | null
    }

export interface BlameSource {
  readonly name: string
  /** `partial`: it does not reach back to the window's beginning, or not all of it was read. */
  readonly state: 'read' | 'partial' | 'unreadable' | 'absent'
  readonly since: number | null
}

export interface Login {
  readonly user: string
  readonly line: string
  readonly host: string
  readonly from: number
  /** Null: still there, or nobody wrote down the end. */
  readonly to: number | null
}

/** A line of a log. */
export type LogEntry = LogFacts & {
  readonly at: number
  /** How much later it may have been: text has whole seconds, and local times are ambiguous for an hour each year. */
  readonly slack: number
  readonly pid: number | null
  /** The journal says by the kernel's word that the program itself wrote it. Any user can write all other lines. */
  readonly trusted: boolean
}

export type LogFacts =
  | {
      readonly kind: 'ssh_accepted'
      readonly user: string
      readonly from: string
      readonly port: number
      readonly key: string | null
    }
  | { readonly kind: 'ssh_closed'; readonly from: string; readonly port: number }
  | {
      readonly kind: 'sudo'
      readonly user: string
      readonly as: string
      readonly program: string
      readonly paths: readonly number[]
    }
  | { readonly kind: 'su'; readonly user: string; readonly as: string }
  | { readonly kind: 'cron'; readonly user: string; readonly program: string; readonly paths: readonly number[] }
  | { readonly kind: 'opened'; readonly service: string; readonly user: string }
  | { readonly kind: 'closed'; readonly service: string; readonly user: string }
  | { readonly kind: 'unit_starts'; readonly unit: string }
  | { readonly kind: 'unit_ends'; readonly unit: string }
  | { readonly kind: 'ansible'; readonly module: string; readonly paths: readonly number[] }
  | { readonly kind: 'cloud_init' }

/** One run of a package manager. */
export interface PackageRun {
  readonly tool: 'dpkg' | 'dnf'
  readonly from: number
  readonly to: number
  readonly slack: number
  /** Of its packages those that own one of the paths. */
  readonly names: readonly string[]
  readonly paths: readonly number[]
  /** Who asked for it, as the package manager wrote it down. */
  readonly user: string | null
  readonly program: string | null
}

export interface AuditTrail {
  readonly events: readonly AuditEvent[]
  /** Nothing hints at records that were left out since the window began. */
  readonly unbroken: boolean
  /** Records that the kernel could not deliver since it started. Null: not known. */
  readonly lost: number | null
  readonly rules: readonly AuditRule[]
  readonly logins: readonly {
    readonly at: number
    readonly pid: number
    readonly auid: number
    readonly session: number
  }[]
}

export interface AuditEvent {
  readonly at: number
  readonly file: number
  /** `other`: it may have changed the file, in a way that we do not know. */
  readonly act: 'write' | 'create' | 'attr' | 'delete' | 'link' | 'move' | 'other'
  readonly inode: string
  /** Who logged in; sudo does not change it. Null: nobody, a process of the system. */
  readonly auid: number | null
  readonly session: number | null
  readonly program: string
  readonly key: string | null
}

export interface AuditRule {
  readonly path: string
  readonly perm: string
  readonly key: string
  /** It leaves out nobody. */
  readonly plain: boolean
}

/**
 * What fanotify told while somebody watched. To be filled in by the watch mode; `blame.ts` knows already what it
 * proves.
 */
export interface LiveWatch {
  /** Watched without a gap since then. */
  readonly since: number
  /** An event was dropped, or a process was gone before it could be asked: then nobody is sure of anything. */
  readonly gaps: boolean
  readonly events: readonly {
    readonly at: number
    readonly file: number
    readonly act: AuditEvent['act']
    readonly program: string
    /** Read from the process that did it, while it was there. */
    readonly loginuid: number | null
    readonly user: string | null
  }[]
}

/**
 * Reads an answer about so many paths. Null unless every part of it is what the format says: of evidence that is half
 * understood the missing half may be who it really was.
 */
export function parseBlameEvidence(text: string, paths: readonly string[]): BlameEvidence | null {
  const value = parseJson(text)
  try {
    return evidenceFrom(value, paths)
  } catch (error) {
    if (error instanceof NotEvidence) return null
    throw error
  }
}

// As many of a kind as the collector sends. What compares each with each other takes its time for more.
const MAX_ITEMS = 2_000
const MAX_TEXT = 4_096

class NotEvidence extends Error {}

function evidenceFrom(value: unknown, paths: readonly string[]): BlameEvidence {
  const answer = record(value)
  if (answer.format !== 1) throw new NotEvidence()
  const clock = record(answer.clock)
  const files = list(answer.files)
  if (files.length !== paths.length) throw new NotEvidence()
  const fileNumber = (item: unknown) => integer(item, 0, paths.length - 1)
  const numbers = (item: unknown) => list(item).map(fileNumber)
  const audit = record(answer.audit)
  return {
    clock: {
      realtime: nanoseconds(clock.realtime),
      boottime: nanoseconds(clock.boottime),
      bootId: string(clock.boot_id),
    },
    uid: id(answer.uid),
    connection: orNull(answer.connection, (peer) => ({
      from: string(record(peer).from),
      port: port(record(peer).port),
    })),
    users: new Map(Object.entries(record(answer.users)).map(([uid, name]) => [id(Number(uid)), string(name)])),
    files: files.map((item, index) => fileFrom(record(item), paths[index])),
    sources: list(answer.sources).map((item) => {
      const { name, state, since } = record(item)
      return { name: string(name), state: oneOf(SOURCE_STATES, state), since: orNull(since, time) }
    }),
    logins: list(answer.sessions).map((item) => {
      const { user, line, host, from, to } = record(item)
      return { user: string(user), line: string(line), host: string(host), from: time(from), to: orNull(to, time) }
    }),
    entries: list(answer.entries).map((item) => {
      const entry = record(item)
      return {
        ...factsFrom(entry, numbers),
        at: time(entry.at),
        slack: duration(entry.slack),
        pid: orNull(entry.pid, id),
        trusted: boolean(entry.trusted),
      }
    }),
    packageRuns: list(answer.packages).map((item) => {
      const run = record(item)
      return {
        tool: oneOf(['dpkg', 'dnf'] as const, run.tool),
        from: time(run.from),
        to: time(run.to),
        slack: duration(run.slack),
        names: list(run.names).map(string),
        paths: numbers(run.paths),
        user: orNull(run.user, string),
        program: orNull(run.program, string),
      }
    }),
    audit: {
      events: list(audit.events).map((item) => {
        const event = record(item)
        return {
          at: time(event.at),
          file: fileNumber(event.file),
          act: oneOf(ACTS, event.act),
          inode: string(event.inode),
          auid: loginUid(event.auid),
          session: orNull(event.session, id),
          program: string(event.program),
          key: orNull(event.key, string),
        }
      }),
      unbroken: boolean(audit.unbroken),
      lost: orNull(audit.lost, (item) => integer(item, 0, Number.MAX_SAFE_INTEGER)),
      rules: list(audit.rules).map((item) => {
        const { path, perm, key, plain } = record(item)
        return { path: string(path), perm: string(perm), key: string(key), plain: boolean(plain) }
      }),
      logins: list(audit.logins).map((item) => {
        const { at, pid, auid, session } = record(item)
        return { at: time(at), pid: id(pid), auid: id(auid), session: id(session) }
      }),
    },
  }
}

const SOURCE_STATES = ['read', 'partial', 'unreadable', 'absent'] as const
const ACTS = ['write', 'create', 'attr', 'delete', 'link', 'move', 'other'] as const

function fileFrom(file: Record<string, unknown>, path: string | undefined): BlamedFile {
  if (file.path !== path) throw new NotEvidence()
  const directoryMtime = file.directory_mtime === undefined ? null : seconds(file.directory_mtime)
  const kind = oneOf(['there', 'missing', 'unreadable'] as const, file.kind)
  if (kind !== 'there') return { kind, directoryMtime }
  return {
    kind,
    uid: id(file.uid),
    mtime: seconds(file.mtime),
    ctime: seconds(file.ctime),
    inode: string(file.inode),
    links: integer(file.links, 0, MAX_ID),
    directoryMtime,
  }
}

function factsFrom(entry: Record<string, unknown>, numbers: (value: unknown) => number[]): LogFacts {
  const { kind } = entry
  switch (kind) {
    case 'ssh_accepted':
      return {
        kind,
        user: string(entry.user),
        from: string(entry.from),
        port: port(entry.port),
        key: orNull(entry.key, string),
      }
    case 'ssh_closed':
      return { kind, from: string(entry.from), port: port(entry.port) }
    case 'sudo':
      return {
        kind,
        user: string(entry.user),
        as: string(entry.as),
        program: string(entry.program),
        paths: numbers(entry.paths),
      }
    case 'su':
      return { kind, user: string(entry.user), as: string(entry.as) }
    case 'cron':
      return { kind, user: string(entry.user), program: string(entry.program), paths: numbers(entry.paths) }
    case 'opened':
    case 'closed':
      return { kind, service: string(entry.service), user: string(entry.user) }
    case 'unit_starts':
    case 'unit_ends':
      return { kind, unit: string(entry.unit) }
    case 'ansible':
      return { kind, module: string(entry.module), paths: numbers(entry.paths) }
    case 'cloud_init':
      return { kind }
    default:
      throw new NotEvidence()
  }
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new NotEvidence()
  return value
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) throw new NotEvidence()
  return value
}

function string(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw new NotEvidence()
  return value
}

function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new NotEvidence()
  return value
}

function integer(value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) throw new NotEvidence()
  return value
}

// User ids, process ids and the numbers of login sessions have 32 bits.
const MAX_ID = 2 ** 32 - 1

function id(value: unknown): number {
  return integer(value, 0, MAX_ID)
}

/** The kernel's -1 says that nobody logged in. */
function loginUid(value: unknown): number | null {
  return value === null || value === MAX_ID ? null : id(value)
}

function port(value: unknown): number {
  return integer(value, 0, 65_535)
}

// The year 9999: what lies beyond is no time of a log.
const MAX_TIME = 253_402_300_799

function time(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIME)) throw new NotEvidence()
  return value
}

function duration(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 86_400)) throw new NotEvidence()
  return value
}

function nanoseconds(value: unknown): bigint {
  if (typeof value !== 'string' || !/^-?[0-9]{1,21}$/.test(value)) throw new NotEvidence()
  return BigInt(value)
}

function seconds(value: unknown): number {
  return Number(nanoseconds(value)) / 1e9
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown): T {
  const found = allowed.find((item) => item === value)
  if (found === undefined) throw new NotEvidence()
  return found
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value)
}
