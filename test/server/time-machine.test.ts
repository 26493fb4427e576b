import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ReportBody } from '../../src/contract/report.ts'
import type { StatusRow } from '../../src/contract/status-json.ts'
import { createHistory } from '../../src/history/history.ts'
import { statusRowsOf } from '../../src/snapshot/row-lists.ts'
import { EVERYTHING } from '../../src/snapshot/selection.ts'
import { createSnapshot } from '../../src/snapshot/snapshot.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { aReceived } from './a-report.ts'

const RUNS = 1_000

const BEGAN_AT = Date.parse('2026-04-21T10:00:00Z')

/** What happens in one minute of one target: a check that says something, made some seconds before it arrives. */
interface Minute {
  readonly said: 'nothing' | 'synced' | 'drift a' | 'drift a and b' | 'failed'
  readonly underWaySeconds: number
  readonly commit: string
}

const minute: fc.Arbitrary<Minute> = fc.record({
  said: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Minute['said']>('nothing') },
    { weight: 4, arbitrary: fc.constantFrom<Minute['said'][]>('synced', 'drift a', 'drift a and b', 'failed') },
  ),
  underWaySeconds: fc.constantFrom(0, 1, 20, 90, 200),
  commit: fc.constantFrom('1', '2'),
})

const SAID: Record<Exclude<Minute['said'], 'nothing'>, Partial<ReportBody>> = {
  synced: {},
  'drift a': { files: [{ name: 'a' }] },
  'drift a and b': { files: [{ name: 'a' }, { name: 'b' }] },
  failed: { sync_status: 'UNKNOWN' },
}

/** Runs a server for so many minutes and writes down what it shows in the middle of each, and at the end of it. */
async function watch(minutes: readonly Minute[]) {
  const store = createMemoryStore()
  let nowMs = BEGAN_AT
  const now = () => new Date(nowMs)
  const clocks = { now, asOf: now, monotonicMs: () => nowMs, presentMs: () => nowMs, unseenMs: () => 0 }
  const snapshot = createSnapshot({ records: [], aliveAt: null }, clocks)
  store.subscribe(snapshot.follow)
  const seen: { readonly at: Date; readonly rows: readonly StatusRow[] }[] = []

  for (const [index, { said, underWaySeconds, commit }] of minutes.entries()) {
    nowMs = BEGAN_AT + index * 60_000
    if (said !== 'nothing') {
      const checkedAt = new Date(nowMs - underWaySeconds * 1_000).toISOString().replace('.000', '')
      const report = { ...SAID[said], last_check: checkedAt, revision: { commit } }
      await store.append([aReceived(report, new Date(nowMs).toISOString())])
    }
    for (const afterMs of [0, 30_001, 59_999]) {
      nowMs = BEGAN_AT + index * 60_000 + afterMs
      seen.push({ at: clocks.now(), rows: await statusRowsOf(snapshot.walk, EVERYTHING) })
    }
  }
  return { seen, history: createHistory(store, clocks.now) }
}

const failed: Minute = { said: 'failed', underWaySeconds: 0, commit: '1' }
const lateDrift: Minute = { said: 'drift a', underWaySeconds: 90, commit: '1' }

// A late finding begins a period between two failed checks: its first check is none of its own.
const LATE_BETWEEN_FAILURES: [Minute[]] = [[failed, lateDrift, failed, failed]]

describe('the time machine', () => {
  it('says of any moment what the server said then, or that it is not known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(minute, { minLength: 1, maxLength: 40 }), async (minutes) => {
        const { seen, history } = await watch(minutes)
        for (const { at, rows } of seen) {
          const then = await history.statusRows({ ...EVERYTHING, isNamed: null }, at)
          assert.equal(then.length, rows.length)
          for (const [index, row] of then.entries()) {
            const shown: Record<string, unknown> = { ...rows[index] }
            const known = Object.entries(row).filter(([, value]) => value !== null)
            assert.deepEqual(
              Object.fromEntries(known),
              Object.fromEntries(known.map(([key]) => [key, shown[key]])),
              at.toISOString(),
            )
          }
        }
      }),
      { numRuns: RUNS, examples: [LATE_BETWEEN_FAILURES] },
    )
  })

  it('always knows the status, the drift, its reason and whether a target was STALE', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(minute, { minLength: 1, maxLength: 40 }), async (minutes) => {
        const { seen, history } = await watch(minutes)
        for (const { at, rows } of seen) {
          const pick = (row: StatusRow) => [row.sync_status, row.drift_count, row.stale, row.reason, row.drift_since]
          assert.deepEqual(
            (await history.statusRows({ ...EVERYTHING, isNamed: null }, at)).map(pick),
            rows.map(pick),
            at.toISOString(),
          )
        }
      }),
      { numRuns: RUNS, examples: [LATE_BETWEEN_FAILURES] },
    )
  })

  it('shows in a graph the worst that was on show between two of its times', async () => {
    const RANK = [0, 2, 1] // by status_code: drift that was seen is worse than what is not known
    await fc.assert(
      fc.asyncProperty(
        fc.array(minute, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        async (minutes, maxPoints) => {
          const { seen, history } = await watch(minutes)
          const from = new Date(BEGAN_AT)
          const to = seen.at(-1)?.at ?? from
          const rows = await history.graph({ targets: null, from, to, stepMs: null, maxPoints, status: null })
          assert.ok(new Set(rows.map(({ time }) => time)).size <= maxPoints)
          for (const [index, row] of rows.entries()) {
            const until = new Date(rows[index + 1]?.time ?? '9999-01-01T00:00:00Z')
            // In the very millisecond in which the grace is over a target is not STALE yet.
            const between = seen.filter(({ at }) => at > new Date(row.time) && at < until)
            const codes = between.flatMap(({ rows }) => rows.map(({ status_code }) => RANK[status_code] ?? 0))
            // What was on show for less than the time between two looks is in the graph, and no look saw it.
            assert.ok((RANK[row.status_code] ?? 0) >= Math.max(0, ...codes), row.time)
          }
        },
      ),
      { numRuns: RUNS },
    )
  })
})
