import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { parseJson } from '../contract/json-text.ts'
import { MAX_BODY_BYTES } from '../contract/limits.ts'
import type { StatusJson } from '../contract/status-json.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import { Fault } from '../domain/fault.ts'
import type { Log } from './log.ts'
import { faultOf, PROBLEM_TYPE, type Problem, problemFor, problemForBug, RETRY_AFTER } from './problem.ts'
import { pathOf, refuseEarly } from './refuse-early.ts'
import { addHealth } from './routes/health.ts'
import { addPage, type Page } from './routes/page.ts'
import { addPostStatus, type Ingest, outcome, POST_STATUS, receivedFrom } from './routes/post-status.ts'
import { addStatusJson, type Query } from './routes/status-json.ts'

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  // Above the 60 s at which Grafana's dashboards refresh at most: Infinity keeps its connections for ever, and the
  // side that closes first must not be the one that has just been asked.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1_000,
}
const MAX_CONNECTIONS = 4_096

// Leaves time to close the store within the five seconds that a stop may take.
const IN_FLIGHT_MS = 3_500

export interface Needs {
  readonly host: string
  readonly port: number
  readonly ingest: Ingest
  readonly statusJson: (query: Query) => StatusJson
  readonly page: (address: string) => Page
  readonly checkWritable: () => Promise<void>
  readonly monotonicMs: () => number
  readonly log: Log
}

export interface HttpServer {
  readonly url: string
  /** From now on `/readyz` says no, so that load balancers send nobody here. Everything else goes on. */
  announceStop(): void
  /** Takes no new connections and resolves when the requests in flight are answered. */
  close(): Promise<void>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Length of the body as it came. */
    bodyBytes: number
    /** Since its headers were read. */
    elapsedMs: () => number
  }
}

/** @throws CannotStart */
export async function listen(needs: Needs): Promise<HttpServer> {
  const { host, port, log } = needs
  let isStopping = false

  const server = fastify({
    logger: false, // one line for each report is written where its outcome is known
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false, // who is already connected is still served
    forceCloseConnections: 'idle',
    http: TIMEOUTS,
    requestTimeout: TIMEOUTS.requestTimeout,
    keepAliveTimeout: TIMEOUTS.keepAliveTimeout,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  })
  server.server.maxConnections = MAX_CONNECTIONS

  server.decorateRequest('bodyBytes', 0)
  server.decorateRequest('elapsedMs', () => 0)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      request.bodyBytes = body.byteLength
      return parseJson(body)
    },
  )

  server.addHook('onRequest', async (request, reply) => {
    const startedAtMs = needs.monotonicMs()
    request.elapsedMs = () => needs.monotonicMs() - startedAtMs
    reply.headers({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })
  server.addHook('onSend', async (_request, reply) => {
    if (isStopping) reply.header('connection', 'close')
  })
  refuseEarly(server)
  server.setErrorHandler(answerError)

  addPostStatus(server, needs)
  addStatusJson(server, needs)
  addPage(server, { ...needs, ownUrl: () => urlOf(server) })
  addHealth(server, { ...needs, isStopping: () => isStopping })

  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const fault = faultOf(error)
    const problem = fault ? problemFor(fault, request.id) : problemForBug(request.id)
    logRefusal(log, { request, problem, fault, error })

    const retryAfter = fault && RETRY_AFTER[fault.code]
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
    return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
  }

  await start(server, host, port)
  return {
    url: urlOf(server),
    announceStop() {
      isStopping = true
    },
    async close() {
      isStopping = true
      const giveUp = setTimeout(() => server.server.closeAllConnections(), IN_FLIGHT_MS)
      await server.close()
      clearTimeout(giveUp)
    },
  }
}

interface Refusal {
  readonly request: FastifyRequest
  readonly problem: Problem
  readonly fault: Fault | undefined
  readonly error: unknown
}

function logRefusal(log: Log, { request, problem, fault, error }: Refusal): void {
  const path = pathOf(request)
  const isReport = path === POST_STATUS && request.method === 'POST'
  const words = isReport ? receivedFrom(request) : 'refused'
  const where = isReport ? {} : { method: request.method, path: path.slice(0, 200) }
  const fields = { ...where, ...outcome(request, problem.status) }

  if (fault === undefined) log.error({ ...fields, err: error }, words)
  else if (problem.status >= 500) log.error({ ...fields, fault: fault.code, err: fault.cause ?? fault }, words)
  else if (isReport) {
    const pointers = fault.problems.slice(0, 10).map(({ pointer }) => pointer)
    log.warn({ ...fields, fault: fault.code, pointers }, words)
  } else log.debug({ ...fields, fault: fault.code }, words)
}

// What is not HTTP at all never reaches a route: it is answered on the bare socket.
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemFor(unreadableFault(error.code), randomUUID())
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function unreadableFault(code: string | undefined): Fault {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Fault('request_timeout', 'The request was not complete in time')
    case 'HPE_HEADER_OVERFLOW':
      return new Fault('headers_too_large', 'The headers are larger than this server takes')
    default:
      return new Fault('bad_request', 'The request is not HTTP')
  }
}

async function start(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const reason = LISTEN_REASONS[String(code)]
    if (reason === undefined) throw cause
    throw new CannotStart(`Cannot listen on ${host} port ${port}: ${reason}`, { cause })
  }
}

const LISTEN_REASONS: Record<string, string> = {
  EADDRINUSE: 'another program uses it. Stop that one, or choose another with --port',
  EACCES: 'this user may not. Choose one above 1023 with --port',
  EADDRNOTAVAIL: 'this machine does not have that address. Choose another with --host',
  ENOTFOUND: 'there is no host of that name. Choose another with --host',
}

// Bound to every address it can be reached at the loopback one, and that can be typed into a browser.
const LOOPBACK: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

function urlOf(server: FastifyInstance): string {
  const bound = server.server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The server listens on no port')
  const address = LOOPBACK[bound.address] ?? bound.address
  return `http://${address.includes(':') ? `[${address}]` : address}:${bound.port}`
}
