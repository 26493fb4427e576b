import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { SYNC_STATUSES } from '../domain/report.ts'
import { bucketsIn } from './buckets.ts'
import { historyRowsOf } from './history-rows.ts'
import type { Stretch, TargetStretches } from './stretches.ts'
import { totalRowsOf } from './total-rows.ts'

const SECONDS = 1_000

const stretches = fc
  .array(fc.record({ from: fc.nat(200), status: fc.constantFrom(...SYNC_STATUSES), driftCount: fc.nat(5) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((begun): Stretch[] => {
    const sorted = begun.toSorted((a, b) => a.from - b.from)
    return sorted.map(({ from, ...shown }, index) => ({
      ...shown,
      from: from * SECONDS,
      checkedAt: null,
      until: (sorted[index + 1]?.from ?? Number.POSITIVE_INFINITY) * SECONDS,
    }))
  })

const fleet = fc
  .array(stretches, { maxLength: 5 })
  .map((all): TargetStretches[] => all.map((one, n) => ({ target: { repo: 'r', server: `s${n}` }, stretches: one })))

it('counts in each bucket what the rows of the history say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fleet,
      fc.nat(150),
      fc.nat(100),
      fc.integer({ min: 1, max: 20 }),
      async (targets, at, long, points) => {
        const from = (at * SECONDS) / 2
        const buckets = bucketsIn({ from, to: from + long * SECONDS, stepMs: null, maxPoints: points })
        const rows = await historyRowsOf(targets, buckets)
        for (const { time, ...counted } of await totalRowsOf(targets, buckets)) {
          const then = rows.filter((row) => row.time === time)
          const withCode = (code: number) => then.filter(({ status_code }) => status_code === code).length
          assert.deepEqual(counted, {
            targets: then.length,
            out_of_sync: withCode(1),
            unknown: withCode(2),
            synced: withCode(0),
            drift_count: then.reduce((sum, { drift_count }) => sum + drift_count, 0),
          })
        }
      },
    ),
  )
})
