import type { FastifyInstance } from 'fastify'
import type { ReportAnswer } from '../../contract/answer.ts'
import { parseSubmission, type Submission } from '../../contract/submission.ts'
import { type Log, outcome, REPORT_PATH, reportLine } from '../log.ts'

export interface Needs {
  readonly ingest: Ingest
  readonly log: Log
  readonly monotonicMs: () => number
}

export type Ingest = (submission: Submission, bytes: number) => Promise<ReportAnswer[]>

// A line of the log names so many targets of a batch and no more.
const NAMES_LOGGED = 20

/** `POST /api/status`: one report, or a batch of them in an array. */
export function addPostStatus(server: FastifyInstance, { ingest, log, monotonicMs }: Needs): void {
  server.post(REPORT_PATH, async (request) => {
    const submission = parseSubmission(request.body)
    const answers = await ingest(submission, request.bodyBytes)
    log.info({ ...described(submission, answers), ...outcome(request, 200, monotonicMs()) }, reportLine(request))
    return submission.isBatch ? { results: answers } : answers[0]
  })
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
