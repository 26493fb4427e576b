import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Permit, Right } from '../domain/authorize.ts'
import { Fault } from '../domain/fault.ts'
import { pathOf } from './log.ts'
import { methodsAt, type Operation } from './operation.ts'

/**
 * Whether a request may do what it asks for, by its header `Authorization`.
 *
 * @throws Fault `unauthorized`, `forbidden`
 */
export type Admit = (authorization: string | undefined, right: Right) => Permit

/** Refuses what needs no body to be refused, before a byte of it is read. */
export function refuseEarly(server: FastifyInstance, operations: readonly Operation[], admit: Admit): void {
  server.addHook('onRequest', (request, reply, done) => {
    try {
      if (request.is404) refuseUnknownRoute(operations, request, reply)
      const changes = request.method !== 'GET' && request.method !== 'HEAD'
      if (changes) refuseOtherSites(request)
      request.permit = admit(request.headers.authorization, rightFor(request))
      if (changes && request.permit.who === null) refuseRebound(request)
      if (changes && (request.method !== 'DELETE' || hasBody(request))) refuseOtherTypes(request)
    } catch (error) {
      done(error as Error) // a Fault, or a bug that fastify hands on just the same
      return
    }
    done()
  })
}

function rightFor({ routeOptions, method, url }: FastifyRequest): Right {
  const { operation } = routeOptions.config
  if (operation === undefined) throw new Error(`${method} ${url} has no description`)
  return operation.right
}

function refuseUnknownRoute(operations: readonly Operation[], request: FastifyRequest, reply: FastifyReply): never {
  const allowed = methodsAt(operations, pathOf(request))
  if (allowed.length === 0) throw new Fault('not_found', 'There is nothing at this path')
  reply.header('allow', allowed.join(', '))
  throw new Fault('method_not_allowed', `This path takes ${allowed.join(', ')}; got ${request.method}`)
}

// A page on another site can make an operator's browser post here. The content type below makes the browser ask
// first, and nobody answers; this is for browsers that are wrong about that.
function refuseOtherSites({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return
  throw new Fault('cross_site', 'Nothing is changed for pages of other sites')
}

/**
 * A page can be of this site and yet another's: its name pointed to the other's machine when it was loaded, and points
 * to ours now (DNS rebinding). Nobody can do so with an address or with a name that no public DNS answers for.
 * Browsers name the origin of all that changes something; what names none is no browser.
 */
function refuseRebound({ headers, hostname }: FastifyRequest): void {
  if (headers.origin === undefined || NAMES_OF_OUR_OWN.test(hostname)) return
  throw new Fault(
    'cross_site',
    'Without a token, pages may change something only where they are opened by address or a local name',
  )
}

// IPv4, IPv6, one label, and what is reserved: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and Kubernetes.
const NAMES_OF_OUR_OWN =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f:.]*:[0-9a-f:.]*\]?|[a-z0-9_-]+|.+\.(?:localhost|local|home\.arpa|internal|svc|cluster\.local))$/i

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
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
