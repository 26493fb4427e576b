import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../domain/fault.ts'
import { pathOf } from './log.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Refuses what needs no body to be refused, before a byte of it is read. */
export function refuseEarly(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    try {
      if (request.is404) refuseUnknownRoute(server, request, reply)
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        refuseOtherSites(request)
        refuseOtherTypes(request)
      }
    } catch (error) {
      done(error as Error) // a Fault, or a bug that fastify hands on just the same
      return
    }
    done()
  })
}

function refuseUnknownRoute(server: FastifyInstance, request: FastifyRequest, reply: FastifyReply): never {
  const path = pathOf(request)
  const allowed = METHODS.filter((method) => server.hasRoute({ method, url: path }))
  if (allowed.length === 0) throw new Fault('not_found', 'There is nothing at this path')
  reply.header('allow', allowed.join(', '))
  throw new Fault('method_not_allowed', `This path takes ${allowed.join(', ')}; got ${request.method}`)
}

// A page on another site can make an operator's browser post here. The content type below makes the browser ask
// first, and nobody answers; this is for browsers that are wrong about that.
function refuseOtherSites({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return
  throw new Fault('cross_site', 'Reports are not taken from pages of other sites')
}

function refuseOtherTypes({ headers }: FastifyRequest): void {
  const type = headers['content-type'] ?? ''
  if (/^application\/json *(; *charset="?utf-8"? *)?$/i.test(type)) {
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding === 'identity') return
    throw new Fault('unsupported_media_type', 'The body must not be compressed: leave out Content-Encoding')
  }
  const got = type === '' ? 'none' : JSON.stringify(type.slice(0, 60))
  throw new Fault('unsupported_media_type', `Content-Type must be application/json; got ${got}`)
}
