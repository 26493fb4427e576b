import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { ReportBody } from '../../src/contract/report.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { aBody, aFailure, aReceived } from './a-report.ts'
import { lengthOf } from './long.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

// A target's life in ten checks, two of them in the same second, some found nothing out.
const CHECKS: readonly ReportBody[] = Array.from({ length: 10 }, (_, n) => {
  const last_check = `2026-04-21T10:${String(10 + (n === 9 ? 8 : n)).padStart(2, '0')}:00Z`
  if (n % 4 === 3) return aFailure({ last_check, run_id: `run ${n}` })
  return aBody({ last_check, run_id: `run ${n}`, files: n % 3 === 0 ? [] : [{ name: `file-${n}` }] })
})

// Of the two in one second none: A, B, A means three reports, because whoever sends them by hand means it.
const LAST_REPEATED = 7

/** In any order, with some of them delivered twice. */
const DELIVERIES = fc
  .tuple(
    fc.shuffledSubarray([...CHECKS.keys()], { minLength: CHECKS.length }),
    fc.array(fc.nat(LAST_REPEATED), { maxLength: 5 }),
  )
  .map(([order, repeated]) => [...order, ...repeated])

/** Newest by (`last_check`, arrival) of those that pass; null when there is none. */
function newestOf(order: readonly number[], passes: (body: ReportBody) => boolean): string | null {
  let newest: ReportBody | null = null
  for (const n of new Set(order)) {
    const body = CHECKS[n]
    if (body === undefined || !passes(body)) continue
    if (newest === null || Date.parse(body.last_check) >= Date.parse(newest.last_check)) newest = body
  }
  return newest?.run_id ?? null
}

describe('reports in any order (R23)', () => {
  const STORES: Record<string, () => Promise<Store>> = {
    memory: async () => createMemoryStore(),
    sqlite: () => openSqliteStore(':memory:'),
  }
  for (const [name, open] of Object.entries(STORES)) {
    it(`end with the newest on show, in ${name}`, async (t) => {
      const store = await open()
      t.after(() => store.close())
      const numRuns = lengthOf({ gate: name === 'memory' ? 3_000 : 1_000, long: 10_000 })
      let run = 0
      await fc.assert(
        fc.asyncProperty(DELIVERIES, async (order) => {
          const server = `server-${run++}`
          const received = order.map((n, index) =>
            aReceived(
              { ...CHECKS[n], server },
              new Date(Date.parse('2026-04-21T11:00:00Z') + index * 1_000).toISOString(),
            ),
          )
          const appended = []
          // In groups of three: reports that share a commit see each other, too.
          for (let at = 0; at < received.length; at += 3)
            appended.push(...(await store.append(received.slice(at, at + 3))))
          const held = appended.at(-1)
          const record = held?.duplicateOf === null ? held.after : held?.record
          assert.equal(
            record?.newest.report.body.run_id,
            newestOf(order, () => true),
          )
          assert.equal(
            record?.lastKnown?.report.body.run_id,
            newestOf(order, ({ sync_status }) => sync_status !== 'UNKNOWN'),
          )
        }),
        { numRuns },
      )
      t.diagnostic(`R23: ${numRuns} permutations in ${name}, all equal`)
    })
  }

  let app: AppUnderTest
  before(async () => {
    app = await startTestApp({ at: '2026-04-21T11:00:00Z' })
  })
  after(() => app.stop())

  it('end the same through the whole server', async (t) => {
    let run = 0
    const numRuns = lengthOf({ gate: 30, long: 500 })
    await fc.assert(
      fc.asyncProperty(DELIVERIES, async (order) => {
        const server = `server-${run++}`
        for (const n of order) {
          app.advance(1)
          assert.equal((await post(app.url, { ...CHECKS[n], server })).status, 200)
        }
        const shown = (await get(app.url, `/status.json?server=${server}`)).body
        const newest = CHECKS.find(({ run_id }) => run_id === newestOf(order, () => true))
        assert.deepEqual([shown.last_check, shown.sync_status], [newest?.last_check, newest?.sync_status])
      }),
      { numRuns },
    )
    t.diagnostic(`R23: ${numRuns} permutations over HTTP, all equal`)
  })

  it('and a hundred equal ones at once are all taken, and stored once (R24)', async (t) => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(app.url, aBody({ server: 'same' }))))
    const stored = answers.filter(({ body }) => body.applied).length
    t.diagnostic(
      `R24: ${answers.filter(({ status }) => status === 200).length} of 100 answered with 200, ${stored} stored`,
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    assert.equal(stored, 1)
    const [row] = (await get(app.url, '/status.json?server=same')).body.items
    assert.equal(row.checks, 1)
  })

  it('and from the future block no true one: 4 minutes ahead, 6 minutes, the year 2099 (R25)', async (t) => {
    const statuses: number[] = []
    for (const [n, last_check] of ['2026-04-21T11:10:00Z', '2026-04-21T11:20:00Z', '2099-01-01T00:00:00Z'].entries()) {
      const fresh = await startTestApp({ at: '2026-04-21T11:06:00Z' })
      statuses.push((await post(fresh.url, aBody({ last_check, files: [{ name: 'a' }] }))).status)
      fresh.advance(60)
      const { body } = await post(fresh.url, aBody({ last_check: `2026-04-21T11:07:0${n}Z` }))
      assert.equal(body.applied, true)
      assert.equal((await get(fresh.url, '/status.json')).body.sync_status, 'SYNCED')
      await fresh.stop()
    }
    t.diagnostic(`R25: ${statuses.join(', ')}, and the next true report won each time`)
    assert.deepEqual(statuses, [200, 422, 422])
  })
})
