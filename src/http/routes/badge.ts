import type { FastifyInstance, FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import { addRoute, describeOperation, type Within } from '../operation.ts'
import { SELECTION } from '../query.ts'

const { repo, server: serverName } = SELECTION.properties
const QUERY = Type.Object({
  repo,
  server: serverName,
  label: Type.Optional(Type.String({ description: 'What stands on the left.' })),
})

/** Which targets, and what stands on the left. */
export type AskedBadge = Static<typeof QUERY> & Within

export interface Needs {
  readonly badgeSvg: (asked: AskedBadge) => Promise<string>
  /** What shields.io asks an endpoint for. */
  readonly badgeJson: (asked: AskedBadge) => Promise<object>
}

const SHIELDS = Type.Object({
  schemaVersion: Type.Literal(1, { description: 'That of shields.io.' }),
  label: Type.String({ description: 'What stands on the left.' }),
  message: Type.String({ description: 'What stands on the right: the status.' }),
  color: Type.String({ description: 'Of the right half, with a # before it.' }),
  cacheSeconds: Type.Integer({ description: 'Seconds for which shields.io may show it without asking again.' }),
})

const BADGE_SVG = describeOperation({
  method: 'GET',
  path: '/badge.svg',
  id: 'getBadgeSvg',
  right: 'read',
  tag: 'badges',
  summary: 'The status as a picture',
  query: QUERY,
  answer: { status: 200, description: 'The picture.', content: { 'image/svg+xml': Type.String() } },
})

const BADGE_JSON = describeOperation({
  method: 'GET',
  path: '/badge.json',
  id: 'getBadgeJson',
  right: 'read',
  tag: 'badges',
  summary: 'The same for shields.io to draw',
  query: QUERY,
  answer: {
    status: 200,
    description: 'What shields.io asks an endpoint for.',
    content: { 'application/json': SHIELDS },
  },
})

// A picture can be opened as a page of this server, too: then nothing in it may run.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

/** `GET /badge.svg` and `/badge.json`: the status of a selection, for READMEs. */
export function addBadge(server: FastifyInstance, { badgeSvg, badgeJson }: Needs): void {
  addRoute(server, BADGE_SVG, async ({ query, reply }) =>
    forOtherSites(reply)
      .header('content-security-policy', POLICY)
      .type('image/svg+xml')
      .send(await badgeSvg(query)),
  )
  addRoute(server, BADGE_JSON, async ({ query, reply }) => forOtherSites(reply).send(await badgeJson(query)))
}

// GitHub shows pictures from a cache of its own, which keeps them for hours unless each of these words is there.
function forOtherSites(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
    'cross-origin-resource-policy': 'cross-origin',
  })
}
