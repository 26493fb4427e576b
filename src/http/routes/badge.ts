import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Query } from './status-json.ts'

export interface Needs {
  readonly badgeSvg: (query: Query) => string
  /** What shields.io asks an endpoint for. */
  readonly badgeJson: (query: Query) => object
}

// A picture can be opened as a page of this server, too: then nothing in it may run.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

/** `GET /badge.svg` and `/badge.json`: the status of a selection, for READMEs. */
export function addBadge(server: FastifyInstance, { badgeSvg, badgeJson }: Needs): void {
  server.get<{ Querystring: Query }>('/badge.svg', async ({ query }, reply) =>
    forOtherSites(reply).header('content-security-policy', POLICY).type('image/svg+xml').send(badgeSvg(query)),
  )
  server.get<{ Querystring: Query }>('/badge.json', async ({ query }, reply) =>
    forOtherSites(reply).send(badgeJson(query)),
  )
}

// GitHub shows pictures from a cache of its own, which keeps them for hours unless each of these words is there.
function forOtherSites(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
    'cross-origin-resource-policy': 'cross-origin',
  })
}
