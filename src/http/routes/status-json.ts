import type { FastifyInstance } from 'fastify'
import { answerRendering, type Rendering } from '../answer-rendering.ts'

/** A decoded query string. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Needs {
  readonly statusJson: (query: Query) => Promise<Rendering>
}

/** `GET /status.json`. Always JSON, whatever Accept says: Grafana's Infinity asks for text/plain first. */
export function addStatusJson(server: FastifyInstance, { statusJson }: Needs) {
  server.get<{ Querystring: Query }>('/status.json', async (request, reply) =>
    answerRendering(await statusJson(request.query), request, reply),
  )
}
