import Type, { type Static } from 'typebox'
import { type ReadOnly, SYNC_STATUS } from './schema-parts.ts'

export const REPORT_ANSWER = Type.Object(
  {
    applied: Type.Boolean({
      description: "The report became its target's newest. False for one that came late, or that was received before.",
    }),
    changed: Type.Boolean({ description: 'The target shows another status or other drift than before.' }),
    previous_status: SYNC_STATUS,
    warnings: Type.Array(Type.String(), { description: 'What was taken otherwise than it was sent, in words.' }),
  },
  { title: 'ReportAnswer', description: 'What became of one report.' },
)

export const BATCH_ANSWER = Type.Object(
  { results: Type.Array(REPORT_ANSWER, { description: 'As many as there were reports.' }) },
  { title: 'BatchAnswer', description: "One answer for each report, in the batch's order." },
)

/** What became of one report: the 200 answer of `POST /api/status`. */
export type ReportAnswer = ReadOnly<Static<typeof REPORT_ANSWER>>
/** The answer to a batch, in the batch's order. */
export type BatchAnswer = ReadOnly<Static<typeof BATCH_ANSWER>>
