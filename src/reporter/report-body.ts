import type { DriftedFile, ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import type { FileFacts } from '../drift/evidence.ts'
import { readablePath, shortName } from '../drift/file-name.ts'
import type { Coverage, Drift, UncheckedTask, Verdict } from '../drift/judge.ts'
import { type Mark, plainMark } from '../redaction/redact.ts'
import type { Origin } from './ci.ts'
import { fileDifference, leftOut } from './file-difference.ts'

export interface ReportContext {
  readonly repo: string
  readonly startedAt: Date
  /** Left out: it was no run that took its time. */
  readonly durationMs?: number
  /**
   * Whether `last_check` has milliseconds. Of two reports within a second the later one must be known as such; and one
   * that says what another one said, after a third, as another one.
   */
  readonly isExact?: boolean
  readonly intervalSeconds: number | null
  readonly origin: Origin
  /** What stands in the place of a secret in a difference. */
  readonly mark?: Mark
}

// contract/report.ts and limits.ts say the same on the server's side; types are all that the two share.
const MAX_FILES = 5_000
const MAX_NAME_LENGTH = 16_384
// The server takes 8 MiB in one request.
const MAX_FILES_BYTES = 6 * 1024 * 1024
// Beside 5,000 that were not checked: a report that is too long would tell of none.
const MAX_UNWATCHED = 500
const MAX_SHORT_TEXT_LENGTH = 512
// Four files of the longest kind. The server keeps each target's newest report in memory, and `/status.json` has all of
// it: with more, a fleet that drifts everywhere at once would be slow to read just then.
const MAX_DIFFS_BYTES = 256 * 1024
const FACTS = {
  sha256: /^[0-9a-f]{64}$/,
  mode: /^[0-7]{4}$/,
  owner: /./,
  group: /./,
  type: /./,
} as const satisfies Record<keyof FileFacts, RegExp>

/** Whether the server takes it as the name of a repository or a server. */
export function isTargetName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._/:@-]{0,252}$/.test(name)
}

/**
 * Gives a verdict the form in which it travels. The first six fields are the requirement's, in its order.
 *
 * The server refuses a report that has one field too long or wrong, and a batch with it: a mode or a time that some
 * server made up must not keep the others' drift from being known. Such a detail is cut or left out here.
 */
export function reportBody(verdict: Verdict, context: ReportContext): ReportBody {
  const { host, status, error, drift, coverage, cause, check } = verdict
  const { origin } = context
  return {
    repo: context.repo,
    server: host,
    sync_status: status,
    drift_count: drift.length,
    files: withinLimit(withDifferences(drift.slice(0, MAX_FILES), context.mark)),
    last_check: context.isExact ? context.startedAt.toISOString() : wholeSecond(context.startedAt),
    ...(drift.length > MAX_FILES && { files_truncated: true }),
    ...(origin.revision && { revision: origin.revision }),
    ...(origin.pipeline && { pipeline: origin.pipeline }),
    ...(context.intervalSeconds !== null && { interval_seconds: context.intervalSeconds }),
    ...(context.durationMs !== undefined && { duration_ms: context.durationMs }),
    ...(origin.runId && { run_id: origin.runId }),
    ...(error && { error }),
    ...(coverage && { coverage: coverageBody(coverage) }),
    ...(cause && { cause }),
    ...(check && {
      check: {
        method: check.method,
        ...(check.disagreement !== undefined && { disagreement: shortText(check.disagreement) }),
      },
    }),
  }
}

function coverageBody({ checked, total, unchecked, watched, unwatched = [], fullCheckAt }: Coverage) {
  return {
    checked,
    total,
    unchecked: tasks(unchecked),
    ...(watched !== undefined && { watched, unwatched: tasks(unwatched.slice(0, MAX_UNWATCHED)) }),
    ...(fullCheckAt && { full_check_at: wholeSecond(fullCheckAt) }),
  }
}

function tasks(named: readonly UncheckedTask[]): UncheckedTask[] {
  return named.slice(0, MAX_FILES).map(({ name, reason }) => ({ name: shortText(name), reason }))
}

function wholeSecond(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

function withDifferences(drift: readonly Drift[], mark: Mark = plainMark): DriftedFile[] {
  let room = MAX_DIFFS_BYTES
  return drift.map((one) => {
    const file = driftedFile(one)
    const { path_base64, texts, text_left_out, vaulted = [] } = one
    // What has no path is a task, and what it shows may be anything.
    if (path_base64 === null || (texts === undefined && text_left_out === undefined)) return file
    const diff = text_left_out === undefined ? fileDifference(texts ?? [], { vaulted, mark }) : leftOut(text_left_out)
    if (diff === '') return file
    const size = Buffer.byteLength(JSON.stringify(diff))
    if (size > room) return { ...file, diff: leftOut('too_large') }
    room -= size
    return { ...file, diff }
  })
}

/** Names too many and too long would keep all of them from being known: then they go without the details, and cut. */
function withinLimit(files: DriftedFile[]): DriftedFile[] {
  if (Buffer.byteLength(JSON.stringify(files)) <= MAX_FILES_BYTES) return files
  const room = MAX_FILES_BYTES / files.length / 2 - 100 // JSON doubles a backslash
  return files.map(({ name, kind, change, cause }) => ({
    name: cutToBytes(name, room),
    ...(kind && { kind }),
    ...(change && { change }),
    ...(cause && { cause }),
  }))
}

function driftedFile({
  path_base64,
  task,
  change,
  expected,
  actual,
  modified_at,
  cause,
  modified_by,
}: Drift): DriftedFile {
  const [should, is] = [factsOf(expected), factsOf(actual)]
  const facts = {
    change,
    ...(hasAny(should) && { expected: should }),
    ...(hasAny(is) && { actual: is }),
    ...(modified_at !== null && isTime(modified_at) && { modified_at }),
    ...(cause && { cause }),
    ...(modified_by !== undefined && { modified_by: shortText(modified_by) }),
  }
  if (path_base64 === null) return { name: shortText(task) || 'a task without a name', kind: 'resource', ...facts }

  const raw = Buffer.from(path_base64, 'base64')
  const path = cut(readablePath(raw), MAX_NAME_LENGTH)
  const name = shortName(path)
  return {
    name,
    ...(path !== raw.toString('utf8') && {
      name_base64: shortBytes(raw).subarray(0, MAX_NAME_LENGTH).toString('base64'),
    }),
    path,
    ...facts,
  }
}

function shortBytes(raw: Buffer): Buffer {
  return raw.subarray(raw.length - Buffer.byteLength(shortName(raw.toString('latin1')), 'latin1'))
}

function factsOf(facts: FileFacts): FileFacts {
  return Object.fromEntries(
    Object.entries(FACTS).flatMap(([name, pattern]) => {
      const value = shortText(facts[name as keyof FileFacts] ?? '') // a key of FACTS
      return pattern.test(value) ? [[name, value]] : []
    }),
  )
}

function shortText(text: string): string {
  return cut(printable(text), MAX_SHORT_TEXT_LENGTH)
}

/** The beginning of a text, and never half of a character. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}

function cutToBytes(text: string, bytes: number): string {
  // U+FFFD is what half of a character at the end decodes to.
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\ufffd$/, '')
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text))
}

function hasAny(facts: object): boolean {
  return Object.keys(facts).length > 0
}
