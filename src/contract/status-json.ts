import Type, { type Static } from 'typebox'
import { bySeverity, type Reason } from '../domain/effective-status.ts'
import type { Freshness } from '../domain/freshness.ts'
import { CAUSES, DRIFTED_FILE } from './report.ts'
import { count, flag, nullable, type ReadOnly, STATUS_CODE, SYNC_STATUS } from './schema-parts.ts'

const REASON = Type.Enum<Reason[]>(['check_failed', 'stale', 'never_reported'], {
  description: 'Why the status is UNKNOWN. Null unless it is.',
})
const FRESHNESS = Type.Enum<Freshness[]>(['FRESH', 'LATE', 'STALE'], {
  description: 'How far the newest report is from what was promised.',
})

export const CAUSE = Type.Enum([...CAUSES], {
  description:
    'What has changed since the last deploy: the server (SERVER_CHANGED), Git, which waits to be deployed (PENDING_DEPLOY), BOTH, or both in the same way (SAME_EDIT). Null when that is not known.',
})

export const TARGET_NAME = Type.Object({
  repo: Type.String({ description: 'The repository that the server is compared with.' }),
  server: Type.String({ description: 'The server.' }),
})

export const LAST_KNOWN = Type.Object(
  {
    sync_status: SYNC_STATUS,
    drift_count: count('How many files had drifted.'),
    files: Type.Array(DRIFTED_FILE, { description: 'As they were sent.' }),
    last_check: nullable(Type.String(), 'As it was sent.'),
  },
  { title: 'LastKnown', description: 'What was known when the target was last known. Null while it is.' },
)

export const STATUS_ROW = Type.Object(
  {
    ...TARGET_NAME.properties,
    sync_status: SYNC_STATUS,
    status_code: STATUS_CODE,
    out_of_sync: flag('the status is OUT_OF_SYNC'),
    drift_count: count('The drift that was last seen, also while the status is UNKNOWN.'),
    drifted_files: nullable(
      Type.String(),
      'The names of the first drifted files, and how many more there are. What is invisible or breaks lines is escaped as \\xNN.',
    ),
    drift_id: nullable(
      Type.String(),
      'Equal for targets whose drift is the same: the same files, changed in the same way, as far as the reports say. Null without drift.',
    ),
    modified_by: nullable(
      Type.String(),
      'Who changed the drifted files: the first names, and how many more. Null when the reports do not say.',
    ),
    cause: nullable(CAUSE),
    last_check: nullable(Type.String(), 'When the newest comparison began, as it was sent.'),
    since: nullable(
      Type.String(),
      'The first check of the unbroken run with this status; of silence the moment in which the grace was over.',
    ),
    drift_since: nullable(Type.String(), 'The first check that found the drift that is not repaired yet.'),
    last_clean: nullable(
      Type.String(),
      'The newest check before it, which found none, by when that check began: the drift did after it.',
    ),
    age_seconds: nullable(count('Seconds since last_check, never negative.')),
    contact_age_seconds: nullable(count('Seconds since the newest report arrived.')),
    full_check_age_seconds: nullable(
      count('Seconds since the full check that the newest check stands on, never negative. Null when it is its own.'),
    ),
    freshness: nullable(FRESHNESS),
    stale: flag('no report came in time'),
    check_failed: flag('reports come and the newest check found nothing out'),
    reason: nullable(REASON),
    error_code: nullable(Type.String(), 'Why the newest check failed.'),
    error_message: nullable(Type.String(), 'The same in words.'),
    last_known_status: nullable(SYNC_STATUS, 'What was known before the status became UNKNOWN.'),
    last_known_check: nullable(Type.String(), 'The check that found it, as it was sent.'),
    revision: nullable(Type.String(), 'The commit that was compared with.'),
    pipeline_url: nullable(Type.String(), 'The run that checked.'),
    checked: nullable(count('How many of the declared files were compared.')),
    total: nullable(count('How many files are declared.')),
    watched: nullable(count('How many of those compared are watched by the fast check.')),
    unwatched: nullable(count('How many of them only the full check compares.')),
    checks_disagree: nullable(flag('the full check and the fast check last said two different things')),
    interval_seconds: Type.Number({ minimum: 0, description: 'Seconds from one report that is due to the next.' }),
    checks: nullable(count('Since when the checks have said the same without a break: how many there were.')),
    missed_checks: nullable(count('How many of those that were due stayed out.')),
  },
  {
    title: 'StatusRow',
    description:
      'One target, flat: each key has one type in all rows, and numbers stand beside the words. What cannot be known of a moment in the past (`at`) is null.',
  },
)

export const STATUS_JSON = Type.Object(
  {
    repo: nullable(Type.String(), 'Null when the targets do not share one.'),
    server: nullable(Type.String(), 'Null when the targets do not share one.'),
    sync_status: SYNC_STATUS,
    drift_count: count('What drift was last seen stays here until a check says otherwise.'),
    files: Type.Array(Type.Object({ ...DRIFTED_FILE.properties, ...Type.Partial(TARGET_NAME).properties }), {
      description: 'As they were sent. With several targets each also names its `repo` and `server`.',
    }),
    last_check: nullable(Type.String(), 'As it was sent; of several the oldest.'),
    reason: nullable(REASON),
    freshness: nullable(FRESHNESS),
    age_seconds: nullable(count('Seconds since last_check, never negative; of several the longest.')),
    contact_age_seconds: nullable(count('Seconds since the newest report arrived; of several the longest.')),
    last_known: nullable(LAST_KNOWN, 'Only for a single target whose status is UNKNOWN.'),
    error: nullable(
      Type.Object({
        code: Type.String({ description: 'Lower-case words joined by _.' }),
        message: nullable(Type.String(), 'The same in words.'),
      }),
      'Only for a single target whose newest check failed.',
    ),
    files_truncated: Type.Boolean({ description: '`files` is not all of the drift that `drift_count` counts.' }),
    target_count: count('How many targets this is about.'),
    items: Type.Array(STATUS_ROW, { description: 'One row for each target, worst first.' }),
    items_truncated: Type.Boolean({ description: 'There are more targets than `items` has.' }),
    generated_at: Type.String({
      description: 'The moment that this answer describes. It stands still while the server cannot read its database.',
    }),
  },
  {
    title: 'StatusJson',
    description:
      "The requirement's six fields for the only target, or rolled up over several, and one row for each. Always this shape.",
  },
)

/**
 * `GET /status.json`: the requirement's six fields for the only target, or rolled up over several, and one flat row
 * for each target. Always this shape, with whatever number of targets.
 */
export type StatusJson = ReadOnly<Static<typeof STATUS_JSON>>
export type TargetName = ReadOnly<Static<typeof TARGET_NAME>>
export type LastKnown = ReadOnly<Static<typeof LAST_KNOWN>>
/** One target, flat. */
export type StatusRow = ReadOnly<Static<typeof STATUS_ROW>>

/** For sorting rows: the worst status first, in it by repo and then by server. */
export function worstFirst(a: StatusRow, b: StatusRow): number {
  return bySeverity(a.sync_status, b.sync_status) || byName(a, b)
}

export function byName(a: TargetName, b: TargetName): number {
  return compare(a.repo, b.repo) || compare(a.server, b.server)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
