import { hash } from 'node:crypto'

// A report has two parts: what was found, and which check found it. Most checks find what the one before found, and
// most servers of a fleet are found alike. What was found is therefore kept once, by its digest, for all checks and all
// targets that share it.

/** What is looked at of a report's body; `report.ts` has the whole. */
interface Body {
  readonly sync_status: unknown
  readonly drift_count: unknown
  readonly files: unknown
  readonly last_check: unknown
  readonly files_truncated?: unknown
  readonly interval_seconds?: unknown
  readonly coverage?: { readonly full_check_at?: unknown }
  readonly cause?: unknown
  readonly check?: unknown
  readonly duration_ms?: unknown
  readonly run_id?: unknown
  readonly pipeline?: unknown
  readonly revision?: unknown
  readonly error?: { readonly code: unknown; readonly message: unknown }
}

/** What was found, as JSON: equal findings give equal contents, in whatever order a reporter wrote the fields. */
export function contentOf({
  sync_status,
  drift_count,
  files,
  files_truncated,
  interval_seconds,
  error,
  coverage,
  cause,
}: Body) {
  return JSON.stringify({
    sync_status,
    drift_count,
    files,
    files_truncated,
    interval_seconds,
    error_code: error?.code,
    // Each full check has its own time, and finds what the one before found.
    coverage: coverage?.full_check_at === undefined ? coverage : { ...coverage, full_check_at: undefined },
    cause,
  })
}

/**
 * Which check found it, as JSON. The words of an error belong to it, since they name times and process numbers; its code
 * does not.
 */
export function checkOf({ last_check, duration_ms, run_id, pipeline, revision, error, coverage, check }: Body): string {
  const full_check_at = coverage?.full_check_at
  // Written for each report, and most have no more than this.
  const isBare = duration_ms === undefined && run_id === undefined && pipeline === undefined && revision === undefined
  if (isBare && error === undefined && full_check_at === undefined && check === undefined) {
    return `{"last_check":${JSON.stringify(last_check)}}`
  }
  const error_message = error?.message
  return JSON.stringify({ last_check, duration_ms, run_id, pipeline, revision, error_message, full_check_at, check })
}

/** Whether two reports found the same, without writing either down. Contents that differ only in order are the same. */
export function isSameContent(a: Body, b: Body): boolean {
  return (
    a.sync_status === b.sync_status &&
    a.drift_count === b.drift_count &&
    a.files_truncated === b.files_truncated &&
    a.interval_seconds === b.interval_seconds &&
    a.error?.code === b.error?.code &&
    a.cause === b.cause &&
    isSameJson(a.files, b.files) &&
    isSameCoverage(a.coverage, b.coverage)
  )
}

/** The same but for the time of the full check. */
function isSameCoverage(a: Body['coverage'], b: Body['coverage']): boolean {
  if (a?.full_check_at === undefined && b?.full_check_at === undefined) return isSameJson(a, b)
  return (
    isSameJson({ ...a, full_check_at: null }, { ...b, full_check_at: null }) && (a === undefined) === (b === undefined)
  )
}

function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSameJson(item, b[index]))
  }
  return !Array.isArray(b) && isSameObject(a as JsonObject, b as JsonObject)
}

type JsonObject = Readonly<Record<string, unknown>>

// Called for each file of each report: no lists of names are made.
function isSameObject(a: JsonObject, b: JsonObject): boolean {
  let fields = 0
  for (const name in a) {
    if (!Object.hasOwn(b, name) || !isSameJson(a[name], b[name])) return false
    fields++
  }
  for (const _name in b) fields--
  return fields === 0
}

/** Puts the parts together again. `content` is decoded already: many checks share one. */
export function joinReport(target: { repo: string; server: string }, content: unknown, check: string): unknown {
  const { error_code, ...found } = content as Record<string, unknown>
  const { error_message, full_check_at, ...which } = JSON.parse(check)
  const error = error_code === undefined ? {} : { error: { code: error_code, message: error_message } }
  const coverage = full_check_at === undefined ? {} : { coverage: { ...Object(found.coverage), full_check_at } }
  return { repo: target.repo, server: target.server, ...found, ...which, ...error, ...coverage }
}

/** 132 bits of SHA-256: no two texts that anyone will ever make share one. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
