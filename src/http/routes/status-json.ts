import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { STATUS_JSON } from '../../contract/status-json.ts'
import { answerRendering, type Rendering } from '../answer-rendering.ts'
import { addRoute, describeOperation } from '../operation.ts'
import { AT, BY_CAUSE, momentIn, SELECTION } from '../query.ts'
import type { Selected } from './row-lists.ts'

const GET_STATUS_JSON = describeOperation({
  method: 'GET',
  path: '/status.json',
  id: 'getStatusJson',
  right: 'read',
  tag: 'rows',
  summary: 'The status of one target, or of several together with a row for each',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...AT.properties }),
  answer: { status: 200, description: 'Always this one object.', content: { 'application/json': STATUS_JSON } },
  faults: ['store_unreadable'],
})

export interface Needs {
  /** `at`: null is now. */
  readonly statusJson: (selected: Selected, at: Date | null) => Promise<Rendering>
}

/** `GET /status.json`. Always JSON, whatever Accept says: Grafana's Infinity asks for text/plain first. */
export function addStatusJson(server: FastifyInstance, { statusJson }: Needs): void {
  addRoute(server, GET_STATUS_JSON, async ({ query, request, reply }) =>
    answerRendering(await statusJson(query, momentIn(query.at)), request, reply),
  )
}
