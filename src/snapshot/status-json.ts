import type { StatusJson } from '../contract/status-json.ts'
import { formatTime } from '../contract/time.ts'
import { bySeverity } from '../domain/effective-status.ts'
import { RollUp } from './roll-up.ts'
import { rowOf, type View } from './view.ts'

/** Beyond these an answer would take longer to read than the next one takes to come. */
export const MAX_ITEMS = 50_000
export const MAX_FILES_SHOWN = 50_000

/** What `GET /status.json` says of these targets, in any order. */
export function statusJsonOf(views: readonly View[], now: Date): StatusJson {
  const sorted = views.toSorted(worstFirst)
  const rollUp = new RollUp()
  for (const view of sorted) rollUp.add(view)
  const { repo, server, sync_status, drift_count, ...rest } = rollUp.result()
  const files = sorted.length === 1 ? (sorted[0]?.finding?.report.body.files ?? []) : filesOf(sorted)
  return {
    repo,
    server,
    sync_status,
    drift_count,
    files,
    ...rest,
    files_truncated: sorted.some(isCut) || files.length < fileCountOf(sorted),
    target_count: sorted.length,
    items: sorted.slice(0, MAX_ITEMS).map(rowOf),
    items_truncated: sorted.length > MAX_ITEMS,
    generated_at: formatTime(now),
  }
}

/** A report that did not carry all of its drift. */
export function isCut({ finding }: View): boolean {
  return finding?.report.body.files_truncated ?? false
}

function fileCountOf(views: readonly View[]): number {
  return views.reduce((sum, { finding }) => sum + (finding?.report.body.files.length ?? 0), 0)
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
  return bySeverity(a.status, b.status) || compareKeys(keyOf(a), keyOf(b))
}

function keyOf({ record }: View): string {
  return record.newest.report.key
}

function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
