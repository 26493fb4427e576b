import Type, { type Static } from 'typebox'
import type { EpochMs } from '../domain/report.ts'
import type { DriftedFile } from './report.ts'
import { count, nullable, type ReadOnly, STATUS_CODE, SYNC_STATUS, time } from './schema-parts.ts'
import { CAUSE, type StatusRow, TARGET_NAME } from './status-json.ts'
import { formatExactTime } from './time.ts'

// The rows that dashboards read. Whoever may see a public dashboard gets the whole answer, whatever columns it shows:
// so they hold no diffs and no hashes.

/** No list of rows is longer than this. */
export const MAX_ROWS = 50_000

export const FILE_ROW = Type.Object(
  {
    ...TARGET_NAME.properties,
    name: Type.String({ description: 'The path below /etc/, or the whole path; of a resource the name of its task.' }),
    change: nullable(
      Type.Enum(['modified', 'missing', 'extra', 'metadata']),
      'How it differs from Git: its content, that it is missing, that Git has no such file, or its mode and owner alone.',
    ),
    cause: nullable(CAUSE),
    kind: Type.Enum(['file', 'resource'], { description: 'A resource is drift without a path, such as a service.' }),
    path: nullable(Type.String(), 'The whole path.'),
    first_seen: nullable(time('The first check of the unbroken run that named this file.')),
    sync_status: SYNC_STATUS,
    status_code: STATUS_CODE,
    modified_at: nullable(Type.String(), 'As it was sent.'),
    modified_by: nullable(Type.String(), 'Who changed it, as it was sent.'),
  },
  { title: 'FileRow', description: 'One drifted file of one target, and the status that its target shows.' },
)

export const GROUP_ROW = Type.Object(
  {
    name: Type.String({ description: 'Of the repository or the server.' }),
    targets: count('How many there are.'),
    out_of_sync: count('How many of them are OUT_OF_SYNC.'),
    unknown: count('How many of them are UNKNOWN.'),
    stale: count('How many of them are UNKNOWN because no report came in time.'),
    synced: count('How many of them are SYNCED.'),
    drift_count: count('How many files have drifted on all of them together.'),
    age_seconds: count('Seconds since the last_check of the one that was checked longest ago.'),
  },
  { title: 'GroupRow', description: 'One repository with its servers, or one server with its repositories.' },
)

export const HISTORY_ROW = Type.Object(
  {
    time: time('When the stretch begins. The same times for all targets.'),
    ...TARGET_NAME.properties,
    status_code: STATUS_CODE,
    drift_count: count('The most drifted files that were on show in it.'),
  },
  {
    title: 'HistoryRow',
    description:
      'The worst that a target showed from this time until the next one. OUT_OF_SYNC (1) is worse than UNKNOWN (2), and UNKNOWN is worse than SYNCED (0): drift that was seen outweighs what is not known, whatever the numbers.',
  },
)

export const TOTAL_ROW = Type.Object(
  {
    time: time('When the stretch begins.'),
    targets: count('How many there were.'),
    out_of_sync: count('How many of them showed OUT_OF_SYNC in it.'),
    unknown: count('How many of them showed UNKNOWN in it, and no drift.'),
    synced: count('How many of them showed nothing but SYNCED in it.'),
    drift_count: count('Of all of them the most that was on show in it.'),
  },
  { title: 'TotalRow', description: 'How many targets showed what, at worst, from this time until the next one.' },
)

export const TRANSITION_ROW = Type.Object(
  {
    time: time('When the status became another on this server.'),
    ...TARGET_NAME.properties,
    from_status: nullable(
      SYNC_STATUS,
      'The status before. Null when nothing is kept of before: its first report, or what was before was pruned.',
    ),
    from_code: nullable(STATUS_CODE, 'The same as a number.'),
    to_status: SYNC_STATUS,
    to_code: STATUS_CODE,
    drift_count: count('How many drifted files were on show from then on.'),
    first_check: nullable(
      time('When the first check that found it began. Null when no report came in time, which no check finds.'),
    ),
  },
  { title: 'TransitionRow', description: 'A status became another.' },
)

export type FileRow = ReadOnly<Static<typeof FILE_ROW>>
export type GroupRow = ReadOnly<Static<typeof GROUP_ROW>>
export type HistoryRow = ReadOnly<Static<typeof HISTORY_ROW>>
export type TotalRow = ReadOnly<Static<typeof TOTAL_ROW>>
export type TransitionRow = ReadOnly<Static<typeof TRANSITION_ROW>>

/** The drifted files of one target. `since`: when each was first seen, in their order; null when that is not known. */
export function fileRowsOf(
  { repo, server, sync_status, status_code }: Pick<StatusRow, 'repo' | 'server' | 'sync_status' | 'status_code'>,
  files: readonly DriftedFile[],
  since: readonly EpochMs[] | null,
): FileRow[] {
  return files.map(({ name, change, cause, kind, path, modified_at, modified_by }, index) => {
    const firstSeen = since?.[index]
    return {
      repo,
      server,
      name,
      change: change ?? null,
      cause: cause ?? null,
      kind: kind ?? 'file',
      path: path ?? null,
      first_seen: firstSeen === undefined ? null : formatExactTime(firstSeen),
      sync_status,
      status_code,
      modified_at: modified_at ?? null,
      modified_by: modified_by ?? null,
    }
  })
}
