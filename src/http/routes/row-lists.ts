import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static, type TObject } from 'typebox'
import {
  FILE_ROW,
  type FileRow,
  GROUP_ROW,
  type GroupRow,
  HISTORY_ROW,
  type HistoryRow,
  MAX_ROWS,
  TOTAL_ROW,
  type TotalRow,
  TRANSITION_ROW,
  type TransitionRow,
} from '../../contract/row-lists.ts'
import { rowsText } from '../../contract/rows-text.ts'
import { STATUS_ROW, type StatusRow } from '../../contract/status-json.ts'
import { parseDurationMs } from '../../contract/time.ts'
import { answerRendering, type Rendering } from '../answer-rendering.ts'
import { CSV_TYPE, csvOf } from '../csv.ts'
import { addRoute, describeOperation, type Operation, type Within } from '../operation.ts'
import { AT, BY_CAUSE, MAX_POINTS, momentIn, SELECTION, SPAN, STEP } from '../query.ts'

/** Which targets, as it was asked for. */
export type Selected = Static<typeof SELECTION> & Static<typeof BY_CAUSE> & Within

/** A stretch of time as it was asked for. Null: the default. */
export interface AskedSpan {
  readonly from: Date | null
  readonly to: Date | null
}

export interface AskedGraph extends AskedSpan {
  readonly stepMs: number | null
  readonly maxPoints: number
}

export interface Needs {
  /** `at`: null is now. */
  readonly statusRows: (selected: Selected, at: Date | null) => Promise<readonly StatusRow[]>
  readonly fileRows: (selected: Selected, at: Date | null) => Promise<readonly FileRow[]>
  readonly groupRows: (selected: Selected, by: 'repo' | 'server') => Promise<readonly GroupRow[]>
  readonly historyRows: (selected: Selected, asked: AskedGraph) => Promise<readonly HistoryRow[]>
  readonly totalRows: (selected: Selected, asked: AskedGraph) => Promise<readonly TotalRow[]>
  readonly render: (text: string) => Rendering
  /** What every dashboard asks for: the first rows of now. */
  readonly renderedStatusRows: (selected: Selected, limit: number) => Promise<Rendering>
  readonly transitionRows: (selected: Selected, asked: AskedSpan) => Promise<readonly TransitionRow[]>
}

const SHAPE = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_ROWS,
      default: MAX_ROWS,
      description: 'No more rows than the first so many.',
    }),
  ),
  format: Type.Optional(Type.Enum(['json', 'csv'], { default: 'json', description: 'How the rows are written.' })),
})

const STATUS_ROWS = rowsOperation(STATUS_ROW, {
  path: '/api/v1/status',
  id: 'listStatus',
  summary: 'One row for each target, the worst first',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...AT.properties, ...SHAPE.properties }),
  faults: ['store_unreadable'],
})

const FILE_ROWS = rowsOperation(FILE_ROW, {
  path: '/api/v1/files',
  id: 'listFiles',
  summary: 'One row for each drifted file, those of the worst targets first',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...AT.properties, ...SHAPE.properties }),
  faults: ['store_unreadable'],
})

const HISTORY_ROWS = rowsOperation(HISTORY_ROW, {
  path: '/api/v1/history',
  id: 'listHistory',
  summary: 'What each target showed over time, at common times in ascending order',
  description: `Each row is about the time from its \`time\` to the next one and tells the worst of it: OUT_OF_SYNC,
then UNKNOWN, then SYNCED. A target has no row before
its first report. \`from\` is a day before \`to\` when it is left out; \`status\` asks for targets that showed it at \`to\`.
The step grows until there are no more than ${MAX_ROWS} rows.`,
  query: Type.Object({ ...SELECTION.properties, ...SPAN.properties, ...STEP.properties, ...SHAPE.properties }),
  faults: ['store_unreadable'],
})

const TOTAL_ROWS = rowsOperation(TOTAL_ROW, {
  path: '/api/v1/totals',
  id: 'listTotals',
  summary: 'How many targets showed which status over time, in ascending order',
  description: `Each row is about the time from its \`time\` to the next one and counts each target once, by the worst that it
showed in it. \`from\` is a day before \`to\` when it is left out; \`status\` asks for targets that showed it at \`to\`.`,
  query: Type.Object({ ...SELECTION.properties, ...SPAN.properties, ...STEP.properties, ...SHAPE.properties }),
})

const TRANSITION_ROWS = rowsOperation(TRANSITION_ROW, {
  path: '/api/v1/transitions',
  id: 'listTransitions',
  summary: 'Each moment at which a status became another, in ascending order',
  description: `\`from\` is a day before \`to\` when it is left out; \`status\` asks for targets that showed it at \`to\`. Of more than
${MAX_ROWS} the newest; \`limit\` leaves the newest, too.`,
  query: Type.Object({ ...SELECTION.properties, ...SPAN.properties, ...SHAPE.properties }),
  faults: ['store_unreadable'],
})

const REPO_ROWS = rowsOperation(GROUP_ROW, {
  path: '/api/v1/repos',
  id: 'listRepos',
  summary: 'One row for each repository, in order of name',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...SHAPE.properties }),
})

const SERVER_ROWS = rowsOperation(GROUP_ROW, {
  path: '/api/v1/servers',
  id: 'listServers',
  summary: 'One row for each server, in order of name',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...SHAPE.properties }),
})

/** Flat rows for dashboards. Always 200 and always a list, whatever Accept says: Infinity asks for text/plain first. */
export function addRowLists(server: FastifyInstance, needs: Needs): void {
  addRoute(server, STATUS_ROWS, async (asked) => {
    const { at, limit = MAX_ROWS, format } = asked.query
    if (at !== undefined || format === 'csv') {
      return send(STATUS_ROW, asked, await needs.statusRows(asked.query, momentIn(at)))
    }
    return answerRendering(await needs.renderedStatusRows(asked.query, limit), asked.request, asked.reply)
  })
  addRoute(server, FILE_ROWS, async (asked) =>
    send(FILE_ROW, asked, await needs.fileRows(asked.query, momentIn(asked.query.at))),
  )
  addRoute(server, HISTORY_ROWS, async (asked) => {
    return send(HISTORY_ROW, asked, await needs.historyRows(asked.query, graphIn(asked.query)))
  })
  addRoute(server, TOTAL_ROWS, async (asked) => {
    return send(TOTAL_ROW, asked, await needs.totalRows(asked.query, graphIn(asked.query)))
  })
  addRoute(server, TRANSITION_ROWS, async (asked) => {
    const rows = await needs.transitionRows(asked.query, spanIn(asked.query))
    return send(TRANSITION_ROW, asked, rows.slice(-(asked.query.limit ?? MAX_ROWS)))
  })
  addRoute(server, REPO_ROWS, async (asked) => send(GROUP_ROW, asked, await needs.groupRows(asked.query, 'repo')))
  addRoute(server, SERVER_ROWS, async (asked) => send(GROUP_ROW, asked, await needs.groupRows(asked.query, 'server')))

  /** Answers with rows, in the way that was asked for. */
  async function send<Row extends object>(
    schema: TObject,
    { query, request, reply }: AskedForRows,
    rows: readonly Row[],
  ): Promise<FastifyReply> {
    const { limit = MAX_ROWS, format = 'json' } = query
    const shown = rows.length > limit ? rows.slice(0, limit) : rows
    if (format === 'csv') {
      const list = request.routeOptions.config.operation?.path.split('/').at(-1)
      reply.type(CSV_TYPE).header('content-disposition', `attachment; filename="gitops-status-${list}.csv"`)
      return reply.send(await csvOf(schema, shown as readonly Record<string, never>[]))
    }
    return answerRendering(needs.render(await rowsText(shown)), request, reply)
  }
}

interface AskedForRows {
  readonly query: Static<typeof SHAPE>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

function rowsOperation<Query extends TObject>(
  row: TObject,
  operation: Pick<Operation<TObject, Query>, 'path' | 'id' | 'summary' | 'description' | 'faults'> & {
    readonly query: Query
  },
) {
  return describeOperation({
    method: 'GET',
    tag: 'rows',
    right: 'read',
    ...operation,
    answer: {
      status: 200,
      description: 'The rows; an empty list when there are none.',
      content: { 'application/json': Type.Array(row), 'text/csv': Type.String() },
    },
  })
}

function graphIn(query: Static<typeof SPAN> & Static<typeof STEP>): AskedGraph {
  const { step, max_points: maxPoints = MAX_POINTS } = query
  return { ...spanIn(query), stepMs: step === undefined ? null : parseDurationMs(step), maxPoints }
}

export function spanIn({ from, to }: Static<typeof SPAN>): AskedSpan {
  return { from: momentIn(from), to: momentIn(to) }
}
