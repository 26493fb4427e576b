import type { StatusJson } from '../contract/status-json.ts'
import { formatTime } from '../contract/time.ts'
import { bySeverity, type Reason, worstOf } from '../domain/effective-status.ts'
import type { Freshness } from '../domain/freshness.ts'
import { lastKnownOf, rowOf, type View } from './view.ts'

const MAX_ITEMS = 50_000
const MAX_FILES_SHOWN = 50_000

/** What `GET /status.json` says of these targets, in any order. */
export function statusJsonOf(views: readonly View[], now: Date): StatusJson {
  const sorted = views.toSorted(worstFirst)
  return {
    ...rolledUp(sorted),
    target_count: sorted.length,
    items: sorted.slice(0, MAX_ITEMS).map(rowOf),
    items_truncated: sorted.length > MAX_ITEMS,
    generated_at: formatTime(now),
  }
}

type RolledUp = Omit<StatusJson, 'target_count' | 'items' | 'items_truncated' | 'generated_at'>

function rolledUp(views: readonly View[]): RolledUp {
  const [only, ...others] = views
  if (only === undefined) return NOTHING
  return others.length === 0 ? ofOne(only) : ofSeveral(views)
}

const NOTHING: RolledUp = {
  repo: null,
  server: null,
  sync_status: 'UNKNOWN',
  drift_count: 0,
  files: [],
  last_check: null,
  reason: 'never_reported',
  freshness: null,
  age_seconds: null,
  contact_age_seconds: null,
  last_known: null,
  error: null,
  files_truncated: false,
}

function ofOne(view: View): RolledUp {
  const { body } = view.record.newest.report
  const finding = view.finding?.report.body
  return {
    repo: body.repo,
    server: body.server,
    sync_status: view.status,
    drift_count: finding?.drift_count ?? 0,
    files: finding?.files ?? [],
    last_check: body.last_check,
    reason: view.reason,
    freshness: view.freshness,
    age_seconds: view.ageSeconds,
    contact_age_seconds: view.contactAgeSeconds,
    last_known: lastKnownOf(view),
    error: body.error ?? null,
    files_truncated: finding?.files_truncated ?? false,
  }
}

function ofSeveral(views: readonly View[]): RolledUp {
  const bodies = views.map(({ record }) => record.newest.report.body)
  const status = worstOf(views.map((view) => view.status))
  const files = filesOf(views)
  const fileCount = sum(views.map(({ finding }) => finding?.report.body.files.length ?? 0))
  return {
    repo: sharedBy(bodies.map(({ repo }) => repo)),
    server: sharedBy(bodies.map(({ server }) => server)),
    sync_status: status,
    drift_count: sum(views.map(({ finding }) => finding?.report.driftCount ?? 0)),
    files,
    last_check: views.map(({ record }) => record.newest.report).reduce(older).body.last_check,
    reason: status === 'UNKNOWN' ? firstOf(REASONS, new Set(views.map(({ reason }) => reason))) : null,
    freshness: firstOf(STALEST_FIRST, new Set(views.map(({ freshness }) => freshness))),
    age_seconds: largest(views.map(({ ageSeconds }) => ageSeconds)),
    contact_age_seconds: largest(views.map(({ contactAgeSeconds }) => contactAgeSeconds)),
    last_known: null,
    error: null,
    files_truncated:
      fileCount > files.length || views.some(({ finding }) => finding?.report.body.files_truncated ?? false),
  }
}

/** Each file with its target; no more are copied than are shown, whatever a fleet has. */
function filesOf(views: readonly View[]): StatusJson['files'] {
  const files: StatusJson['files'][number][] = []
  for (const { finding } of views) {
    if (finding === null) continue
    const { repo, server } = finding.report.target
    for (const file of finding.report.body.files) {
      if (files.length === MAX_FILES_SHOWN) return files
      files.push({ ...file, repo, server })
    }
  }
  return files
}

function worstFirst(a: View, b: View): number {
  return bySeverity(a.status, b.status) || compare(nameOf(a), nameOf(b))
}

// A tab sorts before every character that a name can have: by repo first, then by server.
function nameOf({ record }: View): string {
  const { repo, server } = record.newest.report.target
  return `${repo}\t${server}`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function sharedBy(names: readonly string[]): string | null {
  const [first] = names
  return first !== undefined && names.every((name) => name === first) ? first : null
}

const REASONS: readonly Reason[] = ['stale', 'check_failed', 'never_reported']
const STALEST_FIRST: readonly Freshness[] = ['STALE', 'LATE', 'FRESH']

function firstOf<Value>(order: readonly Value[], found: ReadonlySet<Value | null>): Value | null {
  return order.find((value) => found.has(value)) ?? null
}

function older<One extends { readonly checkedAt: Date }>(a: One, b: One): One {
  return b.checkedAt < a.checkedAt ? b : a
}

function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
