import Type, { type Static } from 'typebox'
import { DRIFTED_FILE, REPORT } from './report.ts'
import { nullable, type ReadOnly, time } from './schema-parts.ts'
import { LAST_KNOWN, STATUS_ROW, TARGET_NAME } from './status-json.ts'
import { EPISODE_ROW } from './target-history.ts'

// What a report may leave out is null here.
const { revision, pipeline, coverage, check, error, run_id, duration_ms } = Type.Required(REPORT).properties

export const TARGET = Type.Object(
  {
    ...TARGET_NAME.properties,
    status: STATUS_ROW,
    files: Type.Array(
      Type.Object({
        ...DRIFTED_FILE.properties,
        first_seen: time('The first check of the unbroken run that named this file.'),
      }),
      { description: 'The drift that was last seen, as it was sent.' },
    ),
    files_truncated: Type.Boolean({ description: 'There were more files than the report could carry.' }),
    last_known: nullable(LAST_KNOWN),
    error: nullable(error),
    coverage: nullable(coverage),
    check: nullable(check),
    revision: nullable(revision),
    pipeline: nullable(pipeline),
    run_id: nullable(run_id),
    duration_ms: nullable(duration_ms),
    episode: nullable(EPISODE_ROW, 'The drift that is not repaired yet.'),
  },
  {
    title: 'Target',
    description: 'Everything that is known of one target now. Null is what its newest report left out.',
  },
)

export type TargetDetails = ReadOnly<Static<typeof TARGET>>
