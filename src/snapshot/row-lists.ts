import { type FileRow, fileRowsOf as filesOf, type GroupRow, MAX_ROWS } from '../contract/row-lists.ts'
import { byName, type StatusRow, type TargetName, worstFirst } from '../contract/status-json.ts'
import type { TargetDetails } from '../contract/target.ts'
import { episodeRowOf } from '../contract/target-history.ts'
import { formatExactTime } from '../contract/time.ts'
import { lastKnownOf, rowOf, type View } from './view.ts'

/** One row for each target, the worst first. */
export function statusRowsOf(views: readonly View[]): StatusRow[] {
  return views.map(rowOf).sort(worstFirst)
}

/** One row for each drifted file, those of the worst targets first. Of one target each may have a cause of its own. */
export function fileRowsOf(views: readonly View[], causes: ReadonlySet<string> | null = null): FileRow[] {
  const sorted = views
    .filter(({ finding }) => finding !== null && finding.report.body.files.length > 0)
    .map((view) => ({ row: rowOf(view), view }))
    .sort((a, b) => worstFirst(a.row, b.row))
  const rows: FileRow[] = []
  for (const { row, view } of sorted) {
    const ofTarget = filesOf(row, view.finding?.report.body.files ?? [], view.record.filesSince)
    rows.push(...ofTarget.filter(({ cause }) => causes?.has(cause ?? '') ?? true))
    if (rows.length >= MAX_ROWS) break
  }
  return rows
}

/** One row for each repository or each server, in order of name. */
export function groupRowsOf(views: readonly View[], by: keyof TargetName): GroupRow[] {
  const groups = new Map<string, { name: string } & Record<Exclude<keyof GroupRow, 'name'>, number>>()
  for (const { record, status, finding, freshness, ageSeconds } of views) {
    const name = record.newest.report.target[by]
    let group = groups.get(name)
    if (group === undefined) {
      group = { name, targets: 0, out_of_sync: 0, unknown: 0, stale: 0, synced: 0, drift_count: 0, age_seconds: 0 }
      groups.set(name, group)
    }
    group.targets++
    group[COUNTED_AS[status]]++
    if (freshness === 'STALE') group.stale++
    group.drift_count += finding?.report.driftCount ?? 0
    group.age_seconds = Math.max(group.age_seconds, ageSeconds)
  }
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const COUNTED_AS = { SYNCED: 'synced', OUT_OF_SYNC: 'out_of_sync', UNKNOWN: 'unknown' } as const

/** One page of the targets in order of name: those after a name, and one more when there is another page. */
export function targetRowsAfter(views: readonly View[], after: TargetName | null, limit: number): StatusRow[] {
  return views
    .filter(({ record }) => after === null || byName(record.newest.report.target, after) > 0)
    .sort((a, b) => byName(a.record.newest.report.target, b.record.newest.report.target))
    .slice(0, limit + 1)
    .map(rowOf)
}

/** Everything that is known of one target. */
export function targetDetailsOf(view: View): TargetDetails {
  const { newest, filesSince, episode } = view.record
  const { body, target } = newest.report
  const found = view.finding?.report.body
  return {
    repo: target.repo,
    server: target.server,
    status: rowOf(view),
    files: (found?.files ?? []).map((file, index) => ({
      ...file,
      first_seen: formatExactTime(filesSince[index] ?? newest.arrivedAt.getTime()),
    })),
    files_truncated: found?.files_truncated ?? false,
    last_known: lastKnownOf(view),
    error: body.error ?? null,
    coverage: body.coverage ?? null,
    check: body.check ?? null,
    revision: body.revision ?? null,
    pipeline: body.pipeline ?? null,
    run_id: body.run_id ?? null,
    duration_ms: body.duration_ms ?? null,
    episode: episode === null ? null : episodeRowOf(target, episode),
  }
}
