/** Every failure that we expect. What a caller is told about each stands in one place, `http/problem.ts`. */
export type FaultCode =
  | 'malformed_body'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'request_timeout'
  | 'headers_too_large'
  | 'cross_site'
  | 'unauthorized'
  | 'forbidden'
  | 'invalid_report'
  | 'report_from_the_future'
  | 'invalid_filter'
  | 'not_found'
  | 'method_not_allowed'
  | 'store_unavailable'
  | 'store_unreadable'
  | 'overloaded'
  | 'shutting_down'
  | 'bad_request'

/** What is wrong with one field of a request. */
export interface FieldProblem {
  /** As people write it: `files[0].name`. For a batch with its index in front: `[2].repo`. */
  readonly field: string
  /** RFC 6901: `/files/0/name`. */
  readonly pointer: string
  readonly detail: string
}

/** A failure with a code for machines, a sentence for the caller and a cause for us. Anything else is a bug. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly problems: readonly FieldProblem[]

  constructor(code: FaultCode, message: string, options: { problems?: readonly FieldProblem[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'Fault'
    this.code = code
    this.problems = options.problems ?? []
  }
}
