import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { aReceived } from '../../test/server/a-report.ts'
import { NO_POSTGRES, type PostgresCluster, startPostgres } from '../../test/server/postgres-cluster.ts'
import type { ReportBody } from '../contract/report.ts'
import type { Received } from '../domain/report.ts'
import { fold, type TargetState } from '../domain/target-state.ts'
import { createMemoryStore } from './memory-store.ts'
import { openPostgresStore } from './postgres-store.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

const START = Date.parse('2026-04-21T10:00:00Z')
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString().replace('.000', '')

let cluster: PostgresCluster
before(async () => {
  if (!NO_POSTGRES) cluster = await startPostgres()
})
after(() => cluster?.stop())

const directory = mkdtempSync(join(tmpdir(), 'gitops-status-stores-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Each makes an empty place, and resolves to what opens the store of it, as often as it is asked to. */
const STORES: Record<string, { readonly make: () => Promise<() => Promise<Store>>; readonly skip?: string | false }> = {
  memory: {
    async make() {
      const store = createMemoryStore()
      return async () => store
    },
  },
  sqlite: { make: async () => () => openSqliteStore(join(directory, 'stores-agree.db')) },
  postgresql: {
    async make() {
      const url = await cluster.newSchema()
      return () => openPostgresStore(url, { info() {}, warn() {} })
    },
    skip: NO_POSTGRES,
  },
}

interface Made {
  readonly arrivedAt: number
  readonly checkedAt: number
  readonly found: 'nothing' | 'drift' | 'other drift' | 'a failure'
}

// No two arrive at once, as one server receives them. Some are made long before they come, and some by a clock that runs
// ahead as far as is still taken.
const reports = fc.uniqueArray(
  fc.record<Made>({
    arrivedAt: fc.nat(1_200),
    checkedAt: fc.integer({ min: -600, max: 300 }),
    found: fc.constantFrom('nothing', 'drift', 'other drift', 'a failure'),
  }),
  { minLength: 1, maxLength: 6, selector: ({ arrivedAt }) => arrivedAt },
)

/** What was sent, and the order in which a store hears of it: each once or twice. */
const shuffled = reports.chain((made) =>
  fc.record({
    made: fc.constant(made),
    heard: fc.shuffledSubarray([...made, ...made], { minLength: made.length, maxLength: made.length * 2 }),
  }),
)

function received({ arrivedAt, checkedAt, found }: Made, server: string): Received<ReportBody> {
  const what = {
    nothing: {},
    drift: { files: [{ name: 'a' }] },
    'other drift': { files: [{ name: 'b' }, { name: 'a' }] },
    'a failure': { sync_status: 'UNKNOWN' as const },
  }[found]
  // Each is a report of its own, also where two say the same.
  const run_id = String(arrivedAt)
  return aReceived({ server, last_check: at(arrivedAt + checkedAt), run_id, ...what }, at(arrivedAt))
}

/** What is known to whoever heard all of it in order. */
function inOrder(heard: readonly Received<ReportBody>[]): TargetState | undefined {
  return heard
    .toSorted((a, b) => a.arrivedAt.getTime() - b.arrivedAt.getTime())
    .reduce<TargetState | undefined>((state, one) => fold(state, one).state, undefined)
}

const PERMUTATIONS = 10_000

// A target for each permutation, and their reports mixed as those of a fleet are: one database takes all of them.
const AT_ONCE = 2_000

describe('all stores', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  const permutations = fc
    .sample(shuffled, { numRuns: PERMUTATIONS, seed })
    .map(({ heard }, index) => heard.map((made) => received(made, `server-${index}`)))
  const rounds = Math.max(...permutations.map(({ length }) => length))
  const sent = Array.from({ length: rounds }, (_, round) => permutations.flatMap((heard) => heard[round] ?? [])).flat()
  let inMemory: readonly unknown[] | undefined

  for (const [name, { make, skip = false }] of Object.entries(STORES)) {
    it(`show the same after ${PERMUTATIONS} permutations of late, doubled and future reports: ${name}`, {
      skip,
    }, async (t) => {
      t.diagnostic(`SEED=${seed}, ${sent.length} reports`)
      const open = await make()
      const first = await open()
      for (let from = 0; from < sent.length; from += AT_ONCE) await first.append(sent.slice(from, from + AT_ONCE))
      await first.close()
      const store = await open()
      t.after(() => store.close())

      const { records, seq } = await store.latest()
      const byServer = new Map(records.map((one) => [one.record.newest.report.target.server, one]))
      for (const [index, heard] of permutations.entries()) {
        const { newest, lastKnown } = byServer.get(`server-${index}`)?.record ?? {}
        assert.deepEqual({ newest, lastKnown }, inOrder(heard))
      }

      const ever = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1_000_000, after: null }
      const all: readonly unknown[] = [
        ...records.map(({ record, seq }) => ({ record, seq })).sort((a, b) => a.seq - b.seq),
        ...(await store.periods(ever)),
        ...(await store.episodes(ever)),
        seq,
      ]
      inMemory ??= all
      assert.equal(all.length, inMemory.length)
      for (const [index, one] of all.entries()) assert.deepEqual(one, inMemory[index])
    })
  }
})
