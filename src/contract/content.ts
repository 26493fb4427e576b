import { hash } from 'node:crypto'

/**
 * A report in two parts: what was found, and which check found it.
 *
 * Most checks find what the one before found, and most servers of a fleet are found alike. What was found is therefore
 * kept once, by its digest, for all checks and all targets that share it.
 */
export interface SplitReport {
  readonly content: string
  readonly check: string
}

/** What is looked at of a report's body; `report.ts` has the whole. */
interface Body {
  readonly sync_status: unknown
  readonly drift_count: unknown
  readonly files: unknown
  readonly last_check: unknown
  readonly files_truncated?: unknown
  readonly interval_seconds?: unknown
  readonly coverage?: unknown
  readonly duration_ms?: unknown
  readonly run_id?: unknown
  readonly pipeline?: unknown
  readonly revision?: unknown
  readonly error?: { readonly code: unknown; readonly message: unknown }
}

/** Both parts as JSON. Equal findings give equal contents, in whatever order a reporter wrote the fields. */
export function splitReport(body: Body): SplitReport {
  return { content: contentOf(body), check: checkOf(body) }
}

function contentOf({ sync_status, drift_count, files, files_truncated, interval_seconds, error, coverage }: Body) {
  return JSON.stringify({
    sync_status,
    drift_count,
    files,
    files_truncated,
    interval_seconds,
    error_code: error?.code,
    coverage,
  })
}

// The words of an error name times and process numbers, its code does not: they belong to the check.
function checkOf({ last_check, duration_ms, run_id, pipeline, revision, error }: Body) {
  return JSON.stringify({ last_check, duration_ms, run_id, pipeline, revision, error_message: error?.message })
}

/** Puts the parts together again. `content` is decoded already: many checks share one. */
export function joinReport(target: { repo: string; server: string }, content: unknown, check: string): unknown {
  const { error_code, ...found } = content as Record<string, unknown>
  const { error_message, ...which } = JSON.parse(check)
  const error = error_code === undefined ? {} : { error: { code: error_code, message: error_message } }
  return { repo: target.repo, server: target.server, ...found, ...which, ...error }
}

/** 132 bits of SHA-256: no two texts that anyone will ever make share one. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
