import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../domain/fault.ts'
import { type Asking, type Log, outcome, pathOf, REPORT_PATH, REPORT_PATH_V1, reportLine } from './log.ts'
import { BUG, type Meter } from './meter.ts'
import { faultOf, PROBLEM_TYPE, type Problem, problemFor, problemForBug, RETRY_AFTER, STATUS } from './problem.ts'
import { type Needs as PageNeeds, sendMissingPage } from './routes/page.ts'

interface Needs {
  readonly log: Log
  readonly monotonicMs: () => number
  readonly meter: Pick<Meter, 'countRefusal'>
}

/** What a request is told that cannot be answered. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export type Refuse = (error: unknown, request: Asking) => Refusal

/** Makes a problem document of whatever was thrown, and writes it down. */
export function createRefuse({ log, monotonicMs, meter }: Needs): Refuse {
  return (error, request) => {
    const fault = faultOf(error)
    const problem = fault ? problemFor(fault, request.id) : problemForBug(request.id)
    meter.countRefusal(fault?.code ?? BUG, problem.status)
    logRefusal(log, { request, problem, fault, error, nowMs: monotonicMs() })

    const retryAfter = fault && RETRY_AFTER[fault.code]
    return {
      status: problem.status,
      headers: {
        'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
        ...(problem.status === STATUS.unauthorized && { 'www-authenticate': 'Bearer realm="gitops-status-server"' }), // RFC 9110, 15.5.2
      },
      text: JSON.stringify(problem),
    }
  }
}

/** Answers whatever a route threw, and people who come to where there is nothing with a page. */
export function createAnswerError(refuse: Refuse, dashboardPage: PageNeeds['dashboardPage']) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { status, headers, text } = refuse(error, request)
    const page = status === STATUS.not_found ? sendMissingPage(dashboardPage, request, reply) : undefined
    if (page !== undefined) return page
    return reply.code(status).headers(headers).send(text)
  }
}

interface Refused {
  readonly request: Asking
  readonly problem: Problem
  readonly fault: Fault | undefined
  readonly error: unknown
  readonly nowMs: number
}

// The requirement's reader looks for the report's line when a post fails, too. Of the body only the places that are
// wrong are logged: what stands there may be anything.
function logRefusal(log: Log, { request, problem, fault, error, nowMs }: Refused): void {
  const path = pathOf(request)
  const isReport = request.method === 'POST' && (path === REPORT_PATH || path === REPORT_PATH_V1)
  const words = isReport ? reportLine(request) : 'refused'
  const fields = {
    ...(isReport ? {} : { method: request.method, path: path.slice(0, 200) }),
    ...outcome(request, problem.status, nowMs),
  }

  if (fault === undefined) {
    log.error({ ...fields, err: error }, words)
  } else if (fault.code === 'shutting_down') {
    log.debug({ ...fields, fault: fault.code }, words) // asked for, and said once
  } else if (problem.status >= 500) {
    log.error({ ...fields, fault: fault.code, err: fault.cause ?? fault }, words)
  } else {
    const pointers = fault.problems.slice(0, 10).map(({ pointer }) => pointer)
    const refused = { ...fields, fault: fault.code, ...(pointers.length > 0 && { pointers }) }
    if (isReport) log.warn(refused, words)
    else log.debug(refused, words)
  }
}
