import type { FastifyInstance } from 'fastify'
import Type, { type TObject } from 'typebox'
import { Fault } from '../../domain/fault.ts'
import { addRoute, describeOfService } from '../operation.ts'

// One look at the disk serves everyone who asks meanwhile: a probe must not become a load.
const CHECK_HOLDS_MS = 1_000

const SAYS_OK = Type.Literal('ok', { description: 'Always this word.' })
const OK = Type.Object({ status: SAYS_OK })
// Grafana's alert rules look at numbers only.
const READY = Type.Object({
  status: SAYS_OK,
  ready: Type.Literal(1, { description: 'The same as a number, for alert rules.' }),
})

const LIVEZ = health('/livez', 'getLivez', 'The process answers')
const HEALTHZ = health('/healthz', 'getHealthz', "The same, for Grafana's data source")
const READYZ = {
  ...health(
    '/readyz',
    'getReadyz',
    'The server can take a report and keep it, and knows what others have taken',
    READY,
  ),
  faults: ['shutting_down', 'store_unavailable', 'store_unreadable'] as const,
}

export interface Needs {
  /** @throws Fault when reports cannot be kept, or what others keep is not known */
  readonly checkReady: () => Promise<void>
  readonly isStopping: () => boolean
  readonly monotonicMs: () => number
}

/**
 * `/livez`: the process answers. `/readyz`: it can take a report and keep it, and knows what others have taken.
 * `/healthz`: for Grafana's "Save & test", which wants 200 and a body.
 */
export function addHealth(server: FastifyInstance, { checkReady, isStopping, monotonicMs }: Needs): void {
  let latest: { readonly begunAtMs: number; readonly result: Promise<void> } | undefined

  function isReady(): Promise<void> {
    const nowMs = monotonicMs()
    if (latest === undefined || nowMs - latest.begunAtMs >= CHECK_HOLDS_MS) {
      latest = { begunAtMs: nowMs, result: checkReady() }
    }
    return latest.result
  }

  addRoute(server, LIVEZ, async () => ({ status: 'ok' }))
  addRoute(server, HEALTHZ, async () => ({ status: 'ok' }))
  addRoute(server, READYZ, async () => {
    if (isStopping()) throw new Fault('shutting_down', 'The server is stopping: ask another, or ask again later')
    await isReady()
    return { status: 'ok', ready: 1 }
  })
}

function health(path: string, id: string, summary: string, answer: TObject = OK) {
  return describeOfService({
    path,
    id,
    right: 'open',
    summary,
    answer: { status: 200, description: 'It does.', content: { 'application/json': answer } },
  })
}
