import type { FastifyInstance } from 'fastify'

export interface Exposition {
  readonly contentType: string
  readonly body: Buffer
}

export interface Needs {
  readonly exposition: (accept: string | undefined) => Promise<Exposition>
}

/** `GET /metrics`, for Prometheus. Accept chooses the format: Prometheus 3 refuses an answer whose type it does not know. */
export function addMetrics(server: FastifyInstance, { exposition }: Needs): void {
  server.get('/metrics', async ({ headers }, reply) => {
    const { contentType, body } = await exposition(headers.accept)
    return reply.headers({ 'content-type': contentType, vary: 'accept' }).send(body)
  })
}
