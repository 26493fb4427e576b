import type { FastifyInstance } from 'fastify'
import type { StatusJson } from '../../contract/status-json.ts'

/** A decoded query string. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** `GET /status.json`. Always JSON, whatever Accept says: Grafana's Infinity asks for text/plain first. */
export function addStatusJson(server: FastifyInstance, { statusJson }: { statusJson: (query: Query) => StatusJson }) {
  server.get<{ Querystring: Query }>('/status.json', async ({ query }) => statusJson(query))
}
