import { randomUUID } from 'node:crypto'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import { parseJson } from '../contract/json-text.ts'
import { MAX_BODY_BYTES } from '../contract/limits.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import { createAnswerError, createRefuse } from './answer-error.ts'
import type { Log } from './log.ts'
import { type Meter, meterRequests } from './meter.ts'
import { collectOperations } from './operation.ts'
import { takePlainPosts } from './plain-posts.ts'
import { type Admit, refuseEarly } from './refuse-early.ts'
import { createRefuseUnreadable } from './refuse-unreadable.ts'
import { type Needs as AssetsNeeds, addAssets } from './routes/assets.ts'
import { type Needs as AuditNeeds, addAudit } from './routes/audit.ts'
import { addBadge, type Needs as BadgeNeeds } from './routes/badge.ts'
import { addEvents, type Needs as EventsNeeds } from './routes/events.ts'
import { addHealth } from './routes/health.ts'
import { addMetrics, type Needs as MetricsNeeds } from './routes/metrics.ts'
import { addOpenApi } from './routes/openapi.ts'
import { addPage, type Needs as PageNeeds } from './routes/page.ts'
import { addPostStatus, createTakeReports, type Ingest } from './routes/post-status.ts'
import { addRowLists, type Needs as RowLists } from './routes/row-lists.ts'
import { addStatusJson, type Needs as ReadStatusJson } from './routes/status-json.ts'
import { addTargetHistory, type Needs as TargetHistory } from './routes/target-history.ts'
import { addTargets, type Needs as Targets } from './routes/targets.ts'
import { tellAge } from './tell-age.ts'

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  // Above the minute at which dashboards refresh: Grafana's Infinity keeps its connections for ever, and a connection
  // that we close just as it asks again costs it an error.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1_000,
}
// As many streams as there may be, and as many others. An idle one costs some kilobytes; whoever starts the server
// bounds them further by the number of files that it may open.
const MAX_CONNECTIONS = 10_000 + 4_096

// A name has up to 253 characters, each of which may come as %2F.
const MAX_PARAM_LENGTH = 3 * 253

// Leaves time to close the store within the five seconds that a stop may take.
const IN_FLIGHT_MS = 3_500

const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}
const CLOSING_HEADERS = { ...COMMON_HEADERS, connection: 'close' }

/** Everything that is asked for and changes nothing, and the removal of a target. */
export type Reads = ReadStatusJson & RowLists & Omit<Targets, 'log' | 'monotonicMs'> & TargetHistory

export interface Needs extends Reads, BadgeNeeds, MetricsNeeds, AssetsNeeds, AuditNeeds {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly ingest: Ingest
  readonly admit: Admit
  readonly dashboardPage: PageNeeds['dashboardPage']
  readonly plainPage: PageNeeds['plainPage']
  readonly events: EventsNeeds
  readonly checkReady: () => Promise<void>
  /** For how long this server does not know everything that was recorded. Null while it does. */
  readonly secondsBehind: () => number | null
  readonly meter: Meter
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
    /** By the monotonic clock. Missing when the URL could not even be read: such a request passes no hook. */
    startedAtMs?: number
  }
}

/** @throws CannotStart */
export async function listen(needs: Needs): Promise<HttpServer> {
  const { host, port } = needs
  const refuse = createRefuse(needs)
  const answerError = createAnswerError(refuse, needs.dashboardPage)
  const takeReports = createTakeReports(needs)
  let isStopping = false

  function mayAnybodyRead(): boolean {
    try {
      needs.admit(undefined, 'read')
      return true
    } catch {
      return false
    }
  }

  const server = fastify({
    logger: false, // one line for each report is written where its outcome is known
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false, // who is already connected is still served
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    http: TIMEOUTS,
    requestTimeout: TIMEOUTS.requestTimeout,
    keepAliveTimeout: TIMEOUTS.keepAliveTimeout,
    clientErrorHandler: createRefuseUnreadable(needs.meter),
    frameworkErrors: answerError,
  })
  server.server.maxConnections = MAX_CONNECTIONS
  server.setErrorHandler(answerError)

  const operations = collectOperations(server)
  server.decorateRequest('bodyBytes', 0)
  server.decorateRequest('startedAtMs')
  server.decorateRequest('permit')
  // Hooks on the way of every request call back instead of returning a promise: each promise is a turn of the queue.
  server.addHook('onRequest', (request, reply, done) => {
    request.startedAtMs = needs.monotonicMs()
    reply.headers(COMMON_HEADERS)
    done()
  })
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping) reply.header('connection', 'close')
    done(null, payload)
  })
  meterRequests(server, needs)
  refuseEarly(server, operations, needs.admit)
  tellAge(server, needs.secondsBehind)
  readBodiesOurselves(server)

  addPostStatus(server, takeReports)
  addStatusJson(server, needs)
  addRowLists(server, needs)
  addTargets(server, needs)
  addTargetHistory(server, needs)
  addBadge(server, needs)
  addEvents(server, needs.events)
  addMetrics(server, needs)
  addAudit(server, needs)
  addAssets(server, needs)
  addPage(server, { ...needs, ownUrl: () => urlOf(server), mayAnybodyRead })
  addHealth(server, { ...needs, isStopping: () => isStopping })
  addOpenApi(server, { ...needs, operations })

  const commonHeaders = () => (isStopping ? CLOSING_HEADERS : COMMON_HEADERS)
  takePlainPosts(server.server, { ...needs, takeReports, refuse, commonHeaders })

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

// Fastify's own parser would take the last of two equal keys, and repair what is not UTF-8.
function readBodiesOurselves(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done) => {
      request.bodyBytes = body.byteLength
      try {
        done(null, parseJson(body))
      } catch (error) {
        done(error as Error) // a Fault, or a bug that fastify hands on just the same
      }
    },
  )
}

async function start(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const reason = LISTEN_REASONS[code]
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

// Who listens on every address can be reached at the loopback one, and that can be typed into a browser.
const LOOPBACK: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

function urlOf(server: FastifyInstance): string {
  const bound = server.server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The server listens on no port')
  const address = LOOPBACK[bound.address] ?? bound.address
  return `http://${address.includes(':') ? `[${address}]` : address}:${bound.port}`
}
