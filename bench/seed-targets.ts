import { failureOf, runLoad } from './load/run-load.ts'

/** Reports in each request where targets are seeded. */
export const SEED_BATCH = 100

// The next batches are parsed while one is written to the disk.
const CONNECTIONS = 8

/** Has every target report once, in batches, as fast as the server takes them. Resolves to reports per second. */
export async function seedTargets(port: number, targets: number): Promise<number> {
  const result = await runLoad({
    port,
    connections: CONNECTIONS,
    requests: { kind: 'report', targets, batch: SEED_BATCH, lastCheck: 'now' },
    pace: { kind: 'this-many', first: 0, count: Math.ceil(targets / SEED_BATCH) },
  })
  const failure = failureOf(result)
  if (failure !== null) throw new Error(`Not every target could report: ${failure}`)
  return result.perSecond * SEED_BATCH
}
