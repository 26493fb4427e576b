import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { addRoute, describeOfService } from '../operation.ts'

export interface Exposition {
  readonly contentType: string
  readonly body: Buffer
}

const METRICS = describeOfService({
  path: '/metrics',
  id: 'getMetrics',
  right: 'read',
  ofAll: true,
  summary: 'For Prometheus',
  answer: {
    status: 200,
    description: 'The metrics, in the format that Accept asks for.',
    content: { 'text/plain': Type.String(), 'application/openmetrics-text': Type.String() },
  },
})

export interface Needs {
  readonly exposition: (accept: string | undefined) => Promise<Exposition>
}

/** `GET /metrics`, for Prometheus. Accept chooses the format: Prometheus 3 refuses an answer whose type it does not know. */
export function addMetrics(server: FastifyInstance, { exposition }: Needs): void {
  addRoute(server, METRICS, async ({ request, reply }) => {
    const { contentType, body } = await exposition(request.headers.accept)
    return reply.headers({ 'content-type': contentType, vary: 'accept' }).send(body)
  })
}
