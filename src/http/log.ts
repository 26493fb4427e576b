import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { clientName } from './client-name.ts'

/** Static words, data in fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export const REPORT_PATH = '/api/status'

/** The same among the other paths of the API. */
export const REPORT_PATH_V1 = '/api/v1/status'

/** What the requirement's reader of the log looks for: `POST /api/status from Woodpecker`. */
export function reportLine({ headers }: FastifyRequest): string {
  return `POST ${REPORT_PATH} from ${clientName(headers['user-agent'])}`
}

/** How a request ended. */
export function outcome({ startedAtMs, id }: FastifyRequest, status: number, nowMs: number) {
  return { status, duration_ms: Math.round((nowMs - (startedAtMs ?? nowMs)) * 10) / 10, request_id: id }
}

/** The path as it was asked for, without the query string, which may hold secrets. */
export function pathOf({ url }: FastifyRequest): string {
  const end = url.search(/[?;#]/)
  return end === -1 ? url : url.slice(0, end)
}
