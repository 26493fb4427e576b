import type { FastifyInstance } from 'fastify'
import type { Operation } from './operation.ts'

/** Answers about what is known now. What is asked of the past is refused while the database cannot be read. */
const OF_NOW: ReadonlySet<Operation['tag'] | undefined> = new Set(['rows', 'targets'] as const)

/**
 * Tells with each answer of now how old it is when this server is behind: `Age`, as a cache does that cannot reach what it
 * keeps (RFC 9111, 5.1). Rows have no other place for it.
 *
 * Hooks of these routes alone: a report must not pass one more.
 *
 * @param secondsBehind Null while this server knows everything that was recorded.
 */
export function tellAge(server: FastifyInstance, secondsBehind: () => number | null): void {
  server.addHook('onRoute', (route) => {
    if (!OF_NOW.has(route.config?.operation?.tag)) return
    route.onSend = (_request, reply, payload, done) => {
      const seconds = secondsBehind()
      if (seconds !== null && reply.statusCode < 400) reply.header('age', seconds)
      done(null, payload)
    }
  })
}
