import type { FastifyInstance } from 'fastify'
import { Fault } from '../../domain/fault.ts'

// One look at the disk serves everyone who asks meanwhile: a probe must not become a load.
const CHECK_HOLDS_MS = 1_000

export interface Needs {
  readonly checkWritable: () => Promise<void>
  readonly isStopping: () => boolean
  readonly monotonicMs: () => number
}

/**
 * `/livez`: the process answers. `/readyz`: it can take a report and keep it. `/healthz`: for Grafana's "Save & test",
 * which wants 200 and a body.
 */
export function addHealth(server: FastifyInstance, { checkWritable, isStopping, monotonicMs }: Needs): void {
  let latest: { readonly begunAtMs: number; readonly result: Promise<void> } | undefined

  function isWritable(): Promise<void> {
    const nowMs = monotonicMs()
    if (latest === undefined || nowMs - latest.begunAtMs >= CHECK_HOLDS_MS) {
      latest = { begunAtMs: nowMs, result: checkWritable() }
    }
    return latest.result
  }

  server.get('/livez', async () => ({ status: 'ok' }))
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async () => {
    if (isStopping()) throw new Fault('shutting_down', 'The server is stopping: ask another, or ask again later')
    await isWritable()
    return { status: 'ok' }
  })
}
