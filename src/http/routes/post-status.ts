import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { BATCH_ANSWER, REPORT_ANSWER, type ReportAnswer } from '../../contract/answer.ts'
import { problemAt } from '../../contract/field-problem.ts'
import { MAX_BATCH } from '../../contract/limits.ts'
import { MAX_PROBLEMS, REPORT } from '../../contract/report.ts'
import { parseSubmission, type Submission } from '../../contract/submission.ts'
import type { Permit } from '../../domain/authorize.ts'
import { Fault } from '../../domain/fault.ts'
import { type Asking, type Log, outcome, REPORT_PATH, REPORT_PATH_V1, reportLine } from '../log.ts'
import { addRoute, describeOperation } from '../operation.ts'

const ONE_REPORT = { ...REPORT, title: 'Report' }

const POST_STATUS = describeOperation({
  method: 'POST',
  path: REPORT_PATH,
  id: 'postStatus',
  right: 'write',
  tag: 'reports',
  summary: 'Takes one report, or a batch of them',
  description: 'Answered when it is on the disk. One invalid report refuses a batch.',
  query: Type.Object({}),
  body: Type.Union([ONE_REPORT, Type.Array(ONE_REPORT, { minItems: 1, maxItems: MAX_BATCH })]),
  answer: {
    status: 200,
    description: 'What became of it: of a batch in its order.',
    content: { 'application/json': Type.Union([REPORT_ANSWER, BATCH_ANSWER]) },
  },
  faults: [
    'malformed_body',
    'cross_site',
    'body_too_large',
    'unsupported_media_type',
    'invalid_report',
    'report_from_the_future',
    'store_unavailable',
    'overloaded',
  ],
})

const POST_STATUS_ALIAS = { ...POST_STATUS, path: REPORT_PATH_V1, id: 'postStatusV1' }

export interface Needs {
  readonly ingest: Ingest
  readonly log: Log
  readonly monotonicMs: () => number
}

export type Ingest = (submission: Submission, bytes: number) => Promise<ReportAnswer[]>

// A line of the log names so many targets of a batch and no more.
const NAMES_LOGGED = 20

/** Takes in what a request brought, and resolves to the answer as JSON when it is on the disk. */
export type TakeReports = (
  body: unknown,
  bytes: number,
  request: Asking & { readonly permit: Permit },
) => Promise<string>

export const JSON_TYPE = 'application/json; charset=utf-8'

export function createTakeReports({ ingest, log, monotonicMs }: Needs): TakeReports {
  return async (body, bytes, request) => {
    const { permit } = request
    const submission = parseSubmission(body)
    refuseUncovered(submission, permit)
    const answers = await ingest(submission, bytes)
    log.info(
      { ...described(submission, answers), ...by(permit), ...outcome(request, 200, monotonicMs()) },
      reportLine(request),
    )
    return JSON.stringify(submission.isBatch ? { results: answers } : answers[0])
  }
}

/** `POST /api/status`: one report, or a batch of them in an array. */
export function addPostStatus(server: FastifyInstance, takeReports: TakeReports): void {
  for (const operation of [POST_STATUS, POST_STATUS_ALIAS]) {
    addRoute(server, operation, async ({ request, reply }) => {
      reply.type(JSON_TYPE)
      return takeReports(request.body, request.bodyBytes, request)
    })
  }
}

// One that is not allowed refuses all, as one that is invalid does: half a batch is never what was meant.
function refuseUncovered({ reports, isBatch }: Submission, { who, covers }: Permit): void {
  if (covers === null) return
  const problems = reports.flatMap(({ report: { target } }, index) => {
    if (covers.has(target)) return []
    const names = `${JSON.stringify(target.repo)} on ${JSON.stringify(target.server)}`
    return [problemAt(isBatch ? `/${index}/repo` : '/repo', `must be a target of ${who}; got ${names}`)]
  })
  const [first] = problems
  if (first === undefined) return
  throw new Fault('forbidden', `${first.field} ${first.detail}`, { problems: problems.slice(0, MAX_PROBLEMS) })
}

function by({ who }: Permit) {
  return who === null ? {} : { by: who }
}

function described({ reports, isBatch }: Submission, answers: readonly ReportAnswer[]) {
  if (isBatch) {
    return {
      reports: reports.length,
      applied: answers.filter(({ applied }) => applied).length,
      targets: reports.slice(0, NAMES_LOGGED).map(({ report }) => `${report.target.repo} ${report.target.server}`),
    }
  }
  const { repo, server, sync_status, drift_count } = reports[0]?.report.body ?? {}
  const { applied, changed, previous_status, warnings } = answers[0] ?? {}
  return { repo, server, sync_status, drift_count, applied, changed, previous_status, warnings }
}
