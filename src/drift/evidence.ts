import type { HostAccess, NoHostAccess } from './snapshot/host-access.ts'
import { isRecord, parseJson } from './untrusted-json.ts'

/**
 * What one run of Ansible in check mode saw, as `ansible/callback_plugins/gitops_status.py` writes it down.
 *
 * The plugin records and decides nothing for us: which status a host has earned is said in `judge.ts`, for every
 * host that was expected, with UNKNOWN as the default. Contents only appear here when they were asked for (`--diff`).
 */
export interface Evidence {
  readonly format: 1
  /** Echo of GITOPS_STATUS_RUN_ID: proves that the file is of this run and not left over from another. */
  readonly run_id: string
  readonly ansible_version: string
  /** True when every play ran in check mode. Otherwise the run was a deployment, and says nothing about drift. */
  readonly check_mode: boolean
  /** Why only part of the playbook ran, in words such as "--tags rsyslog". Empty: all of it. */
  readonly selection: readonly string[]
  readonly hosts: Readonly<Record<string, HostEvidence>>
}

export interface HostEvidence {
  /** The last play reached this host: nothing before it cut the run short. */
  readonly sentinel: boolean
  /** How many task results compared something on the host with what Git says. Loops count each item. */
  readonly verified: number
  readonly failures: readonly Failure[]
  readonly unchecked: readonly Unchecked[]
  readonly drift: readonly DriftEvidence[]
  /** What each verified result named, in order; as many as `verified`. */
  readonly named: readonly Named[]
  /** Directories that a task looked through, such as `find`. */
  readonly listed: readonly { readonly path_base64: string; readonly recurse: boolean }[]
  /** Paths that a task looked for by name, such as `find` with plain names: whether something stands there counts. */
  readonly looked_for: readonly string[]
  readonly access: HostAccess | NoHostAccess
}

/** What a result that compared something with Git was about. */
export interface Named {
  readonly task: string
  /** Null: it names no path of which the bytes could be compared (a package, a copied directory, no_log). */
  readonly path_base64: string | null
  /**
   * Why there is no path; null exactly when there is one. `more_than_bytes`: what was compared there is not all in the
   * bytes, owner and mode of one path, such as a whole tree, another file of the server, or what a link leads to.
   */
  readonly why: 'no_path' | 'directory_copy' | 'no_log' | 'elsewhere' | 'more_than_bytes' | null
  /** SHA-1 of the file's content as Ansible gave it. */
  readonly sha1: string | null
  /**
   * What of the path the task held against Git, besides whether it is there and of which kind: a difference in
   * anything else is none to Ansible. Of a part of the content only Ansible knows which changes count.
   */
  readonly compares: readonly ('content' | 'part_of_content' | 'mode' | 'owner' | 'group')[]
}

export interface Failure {
  readonly task: string
  readonly kind: 'failed' | 'unreachable'
  /** Ansible went on (ignore_errors, ignore_unreachable, rescue, failed_when): the check did not succeed all the same. */
  readonly ignored: boolean
  readonly message: string
}

export interface Unchecked {
  readonly task: string
  readonly reason: 'skipped_in_check_mode' | 'verdict_overridden' | 'no_host_matched' | 'ended_early'
}

export interface DriftEvidence {
  readonly task: string
  /** The raw bytes of the whole path; null for what has no path (a package, a service). */
  readonly path_base64: string | null
  readonly change: 'modified' | 'missing' | 'extra' | 'metadata'
  /** What Git declares, as far as the task says it. */
  readonly expected: FileFacts
  /** What the server has. */
  readonly actual: FileFacts
  /** RFC 3339, UTC, whole seconds; the server's own clock. */
  readonly modified_at: string | null
  /** What Ansible shows of the content, one of each task that would change it. Only where it was asked for. */
  readonly texts?: readonly FileText[]
  /** Why there is no text of what was asked for, or not all of it. */
  readonly text_left_out?: TextLeftOut
  /** What in the texts came from a vault, as far as that can be known. Goes no further than the redaction. */
  readonly vaulted?: readonly string[]
}

export interface FileText {
  readonly server: string
  readonly git: string
}

export type TextLeftOut = 'vault' | 'too_large' | 'binary'

export interface FileFacts {
  readonly sha256?: string
  /** Four octal digits: "0644". */
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /** Only when it is not a plain file: "directory", "link", … */
  readonly type?: string
}

/**
 * Reads a result file. Null unless every part of it is what the format says: evidence that is only half understood
 * could make a host look cleaner than it is.
 */
export function parseEvidence(text: string): Evidence | null {
  const value = parseJson(text)
  return isEvidence(value) ? value : null
}

function isEvidence(value: unknown): value is Evidence {
  return (
    isRecord(value) &&
    value.format === 1 &&
    typeof value.run_id === 'string' &&
    typeof value.ansible_version === 'string' &&
    typeof value.check_mode === 'boolean' &&
    isArrayOf(value.selection, isString) &&
    isRecord(value.hosts) &&
    Object.values(value.hosts).every(isHostEvidence)
  )
}

function isHostEvidence(value: unknown): value is HostEvidence {
  return (
    isRecord(value) &&
    typeof value.sentinel === 'boolean' &&
    isCount(value.verified) &&
    isArrayOf(value.failures, isFailure) &&
    isArrayOf(value.unchecked, isUnchecked) &&
    isArrayOf(value.drift, isDrift) &&
    isArrayOf(value.named, isNamed) &&
    value.named.length === value.verified &&
    isArrayOf(value.listed, isListed) &&
    isArrayOf(value.looked_for, isBase64) &&
    (isAccess(value.access) || isNoAccess(value.access))
  )
}

function isNamed(value: unknown): value is Named {
  return (
    isRecord(value) &&
    isString(value.task) &&
    (value.path_base64 === null
      ? WHY_NO_PATH.includes(value.why)
      : isBase64(value.path_base64) && value.why === null) &&
    Array.isArray(value.compares) &&
    value.compares.every((one) => COMPARED.includes(one)) &&
    (value.sha1 === null || (isString(value.sha1) && /^[0-9a-f]{40}$/.test(value.sha1)))
  )
}

function isListed(value: unknown): value is HostEvidence['listed'][number] {
  return isRecord(value) && isBase64(value.path_base64) && typeof value.recurse === 'boolean'
}

function isAccess(value: unknown): value is HostAccess {
  return (
    isRecord(value) &&
    isString(value.host) &&
    (value.port === null || (isCount(value.port) && value.port >= 1 && value.port <= 65_535)) &&
    isStringOrNull(value.user) &&
    isStringOrNull(value.keyFile) &&
    isArrayOf(value.sshArgs, isString) &&
    isStringOrNull(value.python) &&
    isStringOrNull(value.become)
  )
}

function isNoAccess(value: unknown): value is NoHostAccess {
  return isRecord(value) && isString(value.why)
}

function isFailure(value: unknown): value is Failure {
  return (
    isRecord(value) &&
    isString(value.task) &&
    (value.kind === 'failed' || value.kind === 'unreachable') &&
    typeof value.ignored === 'boolean' &&
    isString(value.message)
  )
}

function isUnchecked(value: unknown): value is Unchecked {
  return isRecord(value) && isString(value.task) && UNCHECKED_REASONS.includes(value.reason)
}

function isDrift(value: unknown): value is DriftEvidence {
  return (
    isRecord(value) &&
    isString(value.task) &&
    (value.path_base64 === null || isBase64(value.path_base64)) &&
    CHANGES.includes(value.change) &&
    isFileFacts(value.expected) &&
    isFileFacts(value.actual) &&
    (value.modified_at === null || isString(value.modified_at)) &&
    (value.texts === undefined || isArrayOf(value.texts, isFileText)) &&
    (value.text_left_out === undefined || TEXT_LEFT_OUT.includes(value.text_left_out)) &&
    (value.vaulted === undefined || isArrayOf(value.vaulted, isString))
  )
}

function isFileText(value: unknown): value is FileText {
  return isRecord(value) && isString(value.server) && isString(value.git)
}

function isFileFacts(value: unknown): value is FileFacts {
  return isRecord(value) && Object.values(value).every(isString)
}

const CHANGES: readonly unknown[] = ['modified', 'missing', 'extra', 'metadata']
const UNCHECKED_REASONS: readonly unknown[] = [
  'skipped_in_check_mode',
  'verdict_overridden',
  'no_host_matched',
  'ended_early',
]

const COMPARED: readonly unknown[] = ['content', 'part_of_content', 'mode', 'owner', 'group']
const WHY_NO_PATH: readonly unknown[] = ['no_path', 'directory_copy', 'no_log', 'elsewhere', 'more_than_bytes']
const TEXT_LEFT_OUT: readonly unknown[] = ['vault', 'too_large', 'binary']

function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem)
}

// Counts are added up; beyond this it was no count of tasks.
const MAX_COUNT = 1_000_000_000

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT
}

// Node decodes whatever it is given: something else than the path would be shown, or nothing.
function isBase64(value: unknown): value is string {
  return isString(value) && value !== '' && Buffer.from(value, 'base64').toString('base64') === value
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || isString(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
