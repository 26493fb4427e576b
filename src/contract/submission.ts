import { Fault, type FieldProblem } from '../domain/fault.ts'
import { problemAt } from './field-problem.ts'
import { MAX_BATCH } from './limits.ts'
import { MAX_PROBLEMS, parseReport } from './report.ts'
import { reportOf, type SentReport } from './sent-report.ts'

export interface ValidReport {
  readonly report: SentReport
  readonly warnings: readonly string[]
}

/** What one request brings: one report, or several in an array. */
export interface Submission {
  readonly reports: readonly ValidReport[]
  readonly isBatch: boolean
}

/**
 * Reads the body of `POST /api/status`. Of a batch, one invalid member refuses all: whoever sent it learns of every
 * mistake at once, and half a batch is never what they meant.
 *
 * @throws Fault `invalid_report`, with one problem for each bad field
 */
export function parseSubmission(body: unknown): Submission {
  const isBatch = Array.isArray(body)
  const values: readonly unknown[] = isBatch ? body : [body]
  if (values.length === 0) refuse([problemAt('', 'must hold at least one report; got an empty array')])
  if (values.length > MAX_BATCH) {
    refuse([problemAt('', `must not hold more than ${MAX_BATCH} reports; got ${values.length}`)])
  }

  const reports: ValidReport[] = []
  const problems: FieldProblem[] = []
  for (const [index, value] of values.entries()) {
    const parsed = parseReport(value, isBatch ? `/${index}` : '')
    if ('problems' in parsed) problems.push(...parsed.problems)
    else reports.push({ report: reportOf(parsed.body), warnings: parsed.warnings })
    if (problems.length >= MAX_PROBLEMS) break
  }
  if (problems.length > 0) refuse(problems.slice(0, MAX_PROBLEMS))
  return { reports, isBatch }
}

function refuse(problems: FieldProblem[]): never {
  const fields = [...new Set(problems.map(({ field }) => field))]
  const named = fields.slice(0, 5).join(', ') + (fields.length > 5 ? ` and ${fields.length - 5} more` : '')
  throw new Fault('invalid_report', `The body is not a report: see ${named}`, { problems })
}
