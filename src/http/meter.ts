import type { FastifyInstance } from 'fastify'

/** Is told of what happens here. Called for each request: must not wait for anything. */
export interface Meter {
  countRequest(request: AnsweredRequest): void
  countRefusal(reason: string, status: number): void
}

export interface AnsweredRequest {
  /** The route's pattern; `none` where there is none, since anyone can make up paths. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly seconds: number
}

/** What a bug is called where a fault would have its code. */
export const BUG = 'internal_error'

export function meterRequests(
  server: FastifyInstance,
  { meter, monotonicMs }: { meter: Meter; monotonicMs: () => number },
) {
  server.addHook('onResponse', (request, reply, done) => {
    const nowMs = monotonicMs()
    meter.countRequest({
      route: (request.is404 ? undefined : request.routeOptions.url) ?? 'none',
      method: request.method,
      status: reply.statusCode,
      seconds: (nowMs - (request.startedAtMs ?? nowMs)) / 1_000,
    })
    done()
  })
}
