import type { DriftedFile, ReportBody } from '../contract/report.ts'
import type { DriftEvidence } from '../drift/evidence.ts'
import { readablePath, shortName } from '../drift/file-name.ts'
import type { Verdict } from '../drift/judge.ts'
import type { Origin } from './ci.ts'

export interface ReportContext {
  readonly repo: string
  readonly startedAt: Date
  readonly durationMs: number
  readonly intervalSeconds: number | null
  readonly origin: Origin
}

// contract/limits.ts says the same on the server's side; types are all that the two share.
const MAX_FILES = 5_000

/** Gives a verdict the form in which it travels. The first six fields are the requirement's, in its order. */
export function reportBody(verdict: Verdict, context: ReportContext): ReportBody {
  const { host, status, error, drift, coverage } = verdict
  const { origin } = context
  return {
    repo: context.repo,
    server: host,
    sync_status: status,
    drift_count: drift.length,
    files: drift.slice(0, MAX_FILES).map(driftedFile),
    last_check: `${context.startedAt.toISOString().slice(0, 19)}Z`,
    ...(drift.length > MAX_FILES && { files_truncated: true }),
    ...(origin.revision && { revision: origin.revision }),
    ...(origin.pipeline && { pipeline: origin.pipeline }),
    ...(context.intervalSeconds !== null && { interval_seconds: context.intervalSeconds }),
    duration_ms: context.durationMs,
    ...(origin.runId && { run_id: origin.runId }),
    ...(error && { error }),
    ...(coverage && { coverage: { ...coverage, unchecked: coverage.unchecked.slice(0, MAX_FILES) } }),
  }
}

function driftedFile({ path_base64, task, change, expected, actual, modified_at }: DriftEvidence): DriftedFile {
  const facts = {
    change,
    ...(hasAny(expected) && { expected }),
    ...(hasAny(actual) && { actual }),
    ...(modified_at !== null && { modified_at }),
  }
  if (path_base64 === null)
    return { name: readablePath(Buffer.from(task || 'a task without a name')), kind: 'resource', ...facts }

  const raw = Buffer.from(path_base64, 'base64')
  const path = readablePath(raw)
  const name = shortName(path)
  return {
    name,
    ...(path !== raw.toString('utf8') && { name_base64: shortBytes(raw).toString('base64') }),
    path,
    ...facts,
  }
}

function shortBytes(raw: Buffer): Buffer {
  return raw.subarray(raw.length - Buffer.byteLength(shortName(raw.toString('latin1')), 'latin1'))
}

function hasAny(facts: object): boolean {
  return Object.keys(facts).length > 0
}
