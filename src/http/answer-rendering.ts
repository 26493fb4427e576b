import type { FastifyReply, FastifyRequest } from 'fastify'

/** An answer that was written for everyone who asks within a moment. */
export interface Rendering {
  readonly body: Buffer
  readonly etag: string
  gzipped(): Promise<Buffer>
}

// What fits into one packet is not made faster by compressing it.
const WORTH_COMPRESSING = 1_400

/**
 * Sends a rendering as JSON: compressed for those who can read that, and not at all to those who have it already.
 *
 * Only gzip: Grafana's Infinity reads nothing else. It never sends If-None-Match either; an empty 304 would be an error
 * to it.
 */
export async function answerRendering(rendering: Rendering, request: FastifyRequest, reply: FastifyReply) {
  const { body, etag } = rendering
  reply.headers({ 'cache-control': 'no-cache', vary: 'accept-encoding', etag })
  if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()

  reply.type('application/json; charset=utf-8')
  if (body.byteLength < WORTH_COMPRESSING || !acceptsGzip(request.headers['accept-encoding'])) return reply.send(body)
  return reply.header('content-encoding', 'gzip').send(await rendering.gzipped())
}

export function acceptsGzip(accepted: string | string[] | undefined): boolean {
  return /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q\s*=\s*(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(
    String(accepted ?? ''),
  )
}
