import Type, { type Static } from 'typebox'
import type { Episode } from '../domain/episode.ts'
import type { Target } from '../domain/report.ts'
import { count, flag, nullable, type ReadOnly, STATUS_CODE, SYNC_STATUS, time } from './schema-parts.ts'
import { CAUSE, TARGET_NAME } from './status-json.ts'
import { formatExactTime } from './time.ts'

export const PERIOD_ROW = Type.Object(
  {
    ...TARGET_NAME.properties,
    sync_status: SYNC_STATUS,
    status_code: STATUS_CODE,
    drift_count: count('How many drifted files were on show.'),
    cause: nullable(CAUSE),
    began_at: time('The arrival of the report that began it: from then on it was on show.'),
    ended_at: nullable(time('When the next one began.')),
    is_open: flag('it still lasts'),
    stale_since: nullable(time('From when on the target was STALE in it: the grace after its last report was over.')),
    first_check: time('When its first comparison began.'),
    last_check: time('When its last comparison began.'),
    last_arrival: time('When the last report of it arrived.'),
    checks: count('How many checks said the same.'),
    gaps: count('How often checks that were due stayed out.'),
    missed_checks: count('How many did in all.'),
    interval_seconds: Type.Number({ minimum: 0, description: 'Seconds from one report that was due to the next.' }),
    error_code: nullable(Type.String(), 'Why the checks failed.'),
    revision: nullable(Type.String(), 'The commit that the last of its checks compared with.'),
  },
  {
    title: 'PeriodRow',
    description: 'A stretch in which every check of a target said the same and none stayed out beyond the grace.',
  },
)

export const EPISODE_ROW = Type.Object(
  {
    ...TARGET_NAME.properties,
    is_open: flag('it is not repaired'),
    onset_after: nullable(time('The newest check before it, which found no drift. Null when there was none.')),
    onset_before: time('The first check that found drift, by when it began: the drift may have, while it ran.'),
    repair_after: nullable(time('The last check that found drift. Null while it is not repaired.')),
    repair_before: nullable(time('The first check that found none again: it was repaired between the two.')),
    last_dirty: time('The newest check that found drift.'),
    time_to_repair_seconds: nullable(
      count('Seconds from onset_before to repair_before. Null while it is not repaired.'),
    ),
    checks: count('How many checks found drift.'),
    max_drift_count: count('The most drifted files that one of them found.'),
  },
  {
    title: 'EpisodeRow',
    description: 'One OUT_OF_SYNC stretch. A failed check or silence does not end it: only a check without drift does.',
  },
)

export type PeriodRow = ReadOnly<Static<typeof PERIOD_ROW>>
export type EpisodeRow = ReadOnly<Static<typeof EPISODE_ROW>>

export function episodeRowOf({ repo, server }: Target, episode: Episode): EpisodeRow {
  const { lastCleanAt, firstDirtyAt, lastDirtyAt, firstCleanAt, checks, maxDriftCount } = episode
  return {
    repo,
    server,
    is_open: firstCleanAt === null ? 1 : 0,
    onset_after: lastCleanAt === null ? null : formatExactTime(lastCleanAt),
    onset_before: formatExactTime(firstDirtyAt),
    repair_after: firstCleanAt === null ? null : formatExactTime(lastDirtyAt),
    repair_before: firstCleanAt === null ? null : formatExactTime(firstCleanAt),
    last_dirty: formatExactTime(lastDirtyAt),
    time_to_repair_seconds:
      firstCleanAt === null ? null : Math.max(0, Math.floor((firstCleanAt - firstDirtyAt) / 1_000)),
    checks,
    max_drift_count: maxDriftCount,
  }
}
