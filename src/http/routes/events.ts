import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../domain/fault.ts'
import type { Target } from '../../domain/report.ts'
import type { Query } from './status-json.ts'

type Matches = ((target: Target) => boolean) | null

/** @throws Fault */
export type OpenStream = (
  wish: { readonly lastEventId: string | undefined; readonly matches: Matches },
  connect: () => ServerResponse,
) => void

/**
 * Which targets `?repo=&server=` name. Null: all.
 *
 * @throws Fault `invalid_filter`
 */
export type EventFilter = (query: Query) => Matches

export interface Needs {
  readonly open: OpenStream
  readonly filter: EventFilter
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Nginx would collect events until its buffer is full.
  'x-accel-buffering': 'no',
}

/** `GET /api/v1/events`: server-sent events. Always those, whatever Accept says. */
export function addEvents(server: FastifyInstance, { open, filter }: Needs): void {
  server.get<{ Querystring: Query }>('/api/v1/events', async (request, reply) => {
    const { repo, server, status, last_event_id } = request.query
    if (status !== undefined && status !== '') {
      throw new Fault('invalid_filter', 'Events are not filtered by "status": a target would leave without a word')
    }
    const matches = filter({ repo, server })
    if (request.method === 'HEAD') return reply.headers(HEADERS).send()

    // A browser that connects again sends the header, and the address with which it connected the first time.
    const lastEventId = [request.headers['last-event-id'] ?? last_event_id].flat().at(-1)
    open({ lastEventId, matches }, () => {
      const response = reply.headers(HEADERS).hijack().raw
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) response.setHeader(name, value)
      }
      // It ends when the connection does. In chunks each event would be three writes, for thousands of clients.
      response.removeHeader('transfer-encoding')
      return response.writeHead(200, { connection: 'close' })
    })
    return reply
  })
}
