import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { Fault } from '../../domain/fault.ts'
import type { Target } from '../../domain/report.ts'
import { addRoute, describeOperation, type Within } from '../operation.ts'
import { type Query, SELECTION } from '../query.ts'

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
export type EventFilter = (asked: Static<typeof TARGETS> & Within) => Matches

export interface Needs {
  readonly open: OpenStream
  readonly filter: EventFilter
}

const { repo, server: serverName, status } = SELECTION.properties
const TARGETS = Type.Object({ repo, server: serverName })

const EVENTS = describeOperation({
  method: 'GET',
  path: '/api/v1/events',
  id: 'getEvents',
  right: 'read',
  tag: 'events',
  summary: 'What changes, as it happens, as server-sent events',
  description: '`Last-Event-ID` goes on where an earlier connection ended. `status` is refused.',
  query: Type.Object({
    repo,
    server: serverName,
    status,
    last_event_id: Type.Optional(Type.String({ description: 'The same as the header, for those who cannot set one.' })),
  }),
  answer: { status: 200, description: 'Until the connection ends.', content: { 'text/event-stream': Type.String() } },
  faults: ['overloaded', 'shutting_down', 'store_unreadable'],
})

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Nginx would collect events until its buffer is full.
  'x-accel-buffering': 'no',
}

/** `GET /api/v1/events`: server-sent events. Always those, whatever Accept says. */
export function addEvents(server: FastifyInstance, { open, filter }: Needs): void {
  addRoute(server, EVENTS, async ({ query, request, reply }) => {
    const { status } = query
    const { last_event_id } = request.query as Query // each time that it was given: the last one counts
    if (status !== undefined && status !== '') {
      throw new Fault('invalid_filter', 'The parameter "status" is not for events: a target would leave without a word')
    }
    const matches = filter(query)
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
