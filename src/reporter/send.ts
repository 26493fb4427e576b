import type { ReportAnswer } from '../contract/answer.ts'
import type { ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import { isRecord, parseJson } from '../drift/untrusted-json.ts'
import { type Failure, type PostOptions, post } from './post.ts'
import { redactor } from './redact.ts'

/** What became of sending. Only a server that says what it did with each report has received them. */
export type Delivery =
  | { readonly kind: 'delivered'; readonly httpStatus: number; readonly answers: readonly ReportAnswer[] }
  | Failure

export interface Destination {
  readonly serverUrl: string
  readonly token: string | null
  readonly userAgent: string
}

export const SEND_BUDGET_MS = 60_000

/**
 * Posts reports: one as an object, as in the requirement, several as one batch. May be repeated: the server knows a
 * report again that it has already stored.
 */
export async function send(
  reports: readonly ReportBody[],
  { serverUrl, token, userAgent }: Destination,
  options: PostOptions,
): Promise<Delivery> {
  const redact = redactor(token === null ? [] : [token])
  return post<Delivery>(
    {
      url: `${serverUrl}/api/status`,
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(reports.length === 1 ? reports[0] : reports),
      redact,
      accept: (httpStatus, text) => (httpStatus === 200 ? deliveryIn(text, reports.length, redact) : null),
      reasonIn: problemIn,
      whom: 'the server',
    },
    options,
  )
}

function deliveryIn(text: string, count: number, redact: (text: string) => string): Delivery {
  const answers = answersIn(text, count)?.map((answer) => ({ ...answer, warnings: answer.warnings.map(redact) }))
  return answers
    ? { kind: 'delivered', httpStatus: 200, answers }
    : { kind: 'failed', reason: 'something other than gitops-status-server answered HTTP 200 (a proxy, a login page?)' }
}

/** The answers to every report that was sent; null when this is not what our server says. */
function answersIn(text: string, count: number): readonly ReportAnswer[] | null {
  const value = parseJson(text)
  const answers = count === 1 ? [value] : isRecord(value) ? value.results : null
  return Array.isArray(answers) && answers.length === count && answers.every(isAnswer) ? answers : null
}

function isAnswer(value: unknown): value is ReportAnswer {
  return (
    isRecord(value) &&
    typeof value.applied === 'boolean' &&
    Array.isArray(value.warnings) &&
    value.warnings.every(isString)
  )
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

/** What a problem document (RFC 9457) says, field by field. */
function problemIn(text: string): string {
  const problem = parseJson(text)
  if (!isRecord(problem)) return 'no reason given'
  const fields = Array.isArray(problem.errors)
    ? problem.errors.filter(isRecord).map(({ field, detail }) => `${field} ${detail}`)
    : []
  return printable([problem.detail ?? problem.title ?? 'no reason given', ...fields].join('; ')).slice(0, 1_000)
}
