import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import { clientName } from './client-name.ts'

/** Static words, data in fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export const REPORT_PATH = '/api/status'

/** The same among the other paths of the API. */
export const REPORT_PATH_V1 = '/api/v1/status'

/** What is told of a request, whichever way it comes. */
export interface Asking {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** By the monotonic clock. Missing when the URL could not even be read: such a request passes no hook. */
  readonly startedAtMs?: number
}

/** What the requirement's reader of the log looks for: `POST /api/status from Woodpecker`. */
export function reportLine({ headers }: Asking): string {
  return `POST ${REPORT_PATH} from ${clientName(headers['user-agent'])}`
}

/** How a request ended. */
export function outcome({ startedAtMs, id }: Asking, status: number, nowMs: number) {
  return { status, duration_ms: Math.round((nowMs - (startedAtMs ?? nowMs)) * 10) / 10, request_id: id }
}

/** The path as it was asked for, without the query string, which may hold secrets. */
export function pathOf({ url }: Asking): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
