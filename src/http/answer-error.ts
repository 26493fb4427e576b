import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../domain/fault.ts'
import { type Log, outcome, pathOf, REPORT_PATH, REPORT_PATH_V1, reportLine } from './log.ts'
import { BUG, type Meter } from './meter.ts'
import { faultOf, PROBLEM_TYPE, type Problem, problemFor, problemForBug, RETRY_AFTER } from './problem.ts'

interface Needs {
  readonly log: Log
  readonly monotonicMs: () => number
  readonly meter: Pick<Meter, 'countRefusal'>
}

/** Answers whatever a route threw with a problem document, and writes it down. */
export function createAnswerError({ log, monotonicMs, meter }: Needs) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const fault = faultOf(error)
    const problem = fault ? problemFor(fault, request.id) : problemForBug(request.id)
    meter.countRefusal(fault?.code ?? BUG, problem.status)
    logRefusal(log, { request, problem, fault, error, nowMs: monotonicMs() })

    const retryAfter = fault && RETRY_AFTER[fault.code]
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
    return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
  }
}

interface Refusal {
  readonly request: FastifyRequest
  readonly problem: Problem
  readonly fault: Fault | undefined
  readonly error: unknown
  readonly nowMs: number
}

// The requirement's reader looks for the report's line when a post fails, too. Of the body only the places that are
// wrong are logged: what stands there may be anything.
function logRefusal(log: Log, { request, problem, fault, error, nowMs }: Refusal): void {
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
