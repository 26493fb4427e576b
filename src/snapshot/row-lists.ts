import { type FileRow, fileRowsOf as filesOf, type GroupRow, MAX_ROWS } from '../contract/row-lists.ts'
import { STATUS_CODES } from '../contract/schema-parts.ts'
import type { StatusRow, TargetName } from '../contract/status-json.ts'
import type { TargetDetails } from '../contract/target.ts'
import { episodeRowOf } from '../contract/target-history.ts'
import { formatExactTime } from '../contract/time.ts'
import { isWantedFile } from '../contract/wanted-files.ts'
import type { Selection } from './selection.ts'
import { lastKnownOf, rowOf, type View } from './view.ts'
import { WorstFirst } from './worst-first.ts'

/**
 * Takes the selected targets one after the other in order of name, with turns for the event loop in between: `take` says
 * how much it made of one, in rows. They are taken as they show when it is their turn.
 */
export type Walk = (
  selection: Selection,
  take: (view: View) => number,
  part?: { readonly after: TargetName | null; readonly limit: number },
) => Promise<void>

/** One row for each target, the worst first. */
export async function statusRowsOf(walk: Walk, selection: Selection): Promise<StatusRow[]> {
  const rows = new WorstFirst<StatusRow>(MAX_ROWS)
  await walk(selection, (view) => {
    if (!rows.isFull(view.status)) rows.add(view.status, rowOf(view))
    return 1
  })
  return rows.all()
}

/** One row for each drifted file, those of the worst targets first. Of one target each may have a cause of its own. */
export async function fileRowsOf(walk: Walk, selection: Selection): Promise<FileRow[]> {
  const rows = new WorstFirst<FileRow>(MAX_ROWS)
  await walk({ ...selection, cause: null }, (view) => {
    const files = view.finding?.report.body.files ?? []
    if (files.length === 0 || rows.isFull(view.status)) return 1
    for (const row of filesOf(targetOf(view), files, view.record.filesSince)) {
      if (isWantedFile(row, selection)) rows.add(view.status, row)
    }
    return files.length
  })
  return rows.all()
}

function targetOf({ record, status }: View) {
  return { ...record.newest.report.target, sync_status: status, status_code: STATUS_CODES[status] }
}

/** One row for each repository or each server, in order of name. */
export async function groupRowsOf(walk: Walk, selection: Selection, by: keyof TargetName): Promise<GroupRow[]> {
  const groups = new Map<string, { name: string } & Record<Exclude<keyof GroupRow, 'name'>, number>>()
  await walk(selection, ({ record, status, finding, freshness, ageSeconds }) => {
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
    return 1
  })
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const COUNTED_AS = { SYNCED: 'synced', OUT_OF_SYNC: 'out_of_sync', UNKNOWN: 'unknown' } as const

/** One page of the targets in order of name: those after a name, and one more when there is another page. */
export async function targetRowsAfter(
  walk: Walk,
  selection: Selection,
  { after, limit }: { readonly after: TargetName | null; readonly limit: number },
): Promise<StatusRow[]> {
  const rows: StatusRow[] = []
  const take = (view: View) => {
    rows.push(rowOf(view))
    return 1
  }
  await walk(selection, take, { after, limit: limit + 1 })
  return rows
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
