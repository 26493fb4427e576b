import Type, { type Static } from 'typebox'
import type { ReadOnly } from '../contract/schema-parts.ts'
import { Fault, type FaultCode } from '../domain/fault.ts'

/** The only place where a fault becomes an HTTP status. */
export const STATUS = {
  malformed_body: 400,
  bad_request: 400,
  invalid_filter: 400,
  cross_site: 403,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid_report: 422,
  report_from_the_future: 422,
  headers_too_large: 431,
  store_unavailable: 503,
  store_unreadable: 503,
  overloaded: 503,
  shutting_down: 503,
} satisfies Record<FaultCode, number>

export const TITLE = {
  malformed_body: 'The body is not JSON',
  bad_request: 'Bad request',
  invalid_filter: 'Invalid parameter',
  cross_site: 'Request from another site',
  unauthorized: 'A token is needed',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  method_not_allowed: 'Method not allowed',
  request_timeout: 'The request took too long',
  body_too_large: 'The body is too large',
  unsupported_media_type: 'Unsupported content type',
  invalid_report: 'Invalid report',
  report_from_the_future: 'Report from the future',
  headers_too_large: 'The headers are too large',
  store_unavailable: 'The report store cannot write',
  store_unreadable: 'The report store cannot be read',
  overloaded: 'Too much at once',
  shutting_down: 'The server is stopping',
} satisfies Record<FaultCode, string>

/** Seconds after which it is worth another try. */
export const RETRY_AFTER: Partial<Record<FaultCode, number>> = {
  store_unavailable: 5,
  store_unreadable: 5,
  overloaded: 1,
  shutting_down: 5,
}

export const PROBLEM_TYPE = 'application/problem+json'

export const PROBLEM = Type.Object(
  {
    type: Type.String({ description: 'Names the kind of fault, for machines.' }),
    title: Type.String({ description: 'The kind of fault in words.' }),
    status: Type.Integer({ description: 'That of HTTP.' }),
    detail: Type.String({ description: 'What is wrong with this request.' }),
    instance: Type.String({ description: 'Names this one refusal: the log line has the same request_id.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'As people write it: `files[0].name`.' }),
          pointer: Type.String({ description: 'In the body, as a JSON pointer (RFC 6901); empty for a parameter.' }),
          detail: Type.String({ description: 'What it must be, and what it is.' }),
        }),
        { description: 'Every field that is wrong.' },
      ),
    ),
  },
  { title: 'Problem', description: 'Why a request was refused (RFC 9457).' },
)

/** RFC 9457. */
export type Problem = ReadOnly<Static<typeof PROBLEM>>

export function problemFor(fault: Fault, requestId: string): Problem {
  return {
    type: `urn:gitops-status:problem:${fault.code}`,
    title: TITLE[fault.code],
    status: STATUS[fault.code],
    detail: fault.message,
    instance: `urn:uuid:${requestId}`,
    ...(fault.problems.length > 0 && { errors: fault.problems }),
  }
}

/** For a bug: whoever asked learns nothing of our insides, only how to name it to us. */
export function problemForBug(requestId: string): Problem {
  return {
    type: 'about:blank',
    title: 'Internal error',
    status: 500,
    detail: 'Internal error: the server log has the details under this instance',
    instance: `urn:uuid:${requestId}`,
  }
}

// Fastify's own refusals, in our words. https://fastify.dev/docs/latest/Reference/Errors/
const FASTIFY_FAULTS: Record<string, () => Fault> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new Fault('body_too_large', 'The body is larger than this server takes (8 MiB)'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Fault('bad_request', 'The body is not as long as Content-Length says'),
  FST_ERR_BAD_URL: () => new Fault('bad_request', 'The path of the URL cannot be decoded'),
}

/** The fault that an error stands for; undefined when the error is a bug. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error
  if (!(error instanceof Error)) return undefined
  const known = 'code' in error ? FASTIFY_FAULTS[String(error.code)] : undefined
  if (known !== undefined) return known()
  const isCallersMistake = 'statusCode' in error && Number(error.statusCode) >= 400 && Number(error.statusCode) < 500
  return isCallersMistake
    ? new Fault('bad_request', 'The request could not be understood', { cause: error })
    : undefined
}
