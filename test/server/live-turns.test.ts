import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHistory } from '../../src/history/history.ts'
import { createReads } from '../../src/read-api.ts'
import { createSnapshot, ROWS_IN_A_TURN } from '../../src/snapshot/snapshot.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { aLedger, aReceived } from './a-report.ts'

const TARGETS = 10_000
const AT_ONCE = 8
const NOW = new Date('2026-04-21T10:30:00Z')

/** What a server shows of these, and which targets are looked at in a round of the event loop, at most. */
function watched(received: readonly ReturnType<typeof aReceived>[]) {
  const ledger = aLedger()
  ledger.receive(...received)
  let looked = new Set<string>()
  const records = [...ledger.known().records].map(({ record }) => {
    const { newest, ...rest } = record
    const seen = {
      ...rest,
      get newest() {
        looked.add(newest.report.key)
        return newest
      },
    }
    return { record: seen }
  })
  const now = () => NOW
  const clocks = { now, asOf: now, monotonicMs: () => 0, presentMs: () => 0, unseenMs: () => 0 }
  const snapshot = createSnapshot({ records, aliveAt: null }, clocks)
  const history = createHistory(createMemoryStore(), now)
  const remove = async () => false

  return {
    snapshot,
    reads: createReads({ snapshot, history, remove, now }),
    async mostInARound(work: () => Promise<unknown>): Promise<{ most: number; rounds: number }> {
      looked = new Set()
      let [most, rounds, isDone] = [0, 0, false]
      setImmediate(function count() {
        most = Math.max(most, looked.size)
        looked = new Set()
        rounds++
        if (!isDone) setImmediate(count)
      })
      await work()
      isDone = true
      return { most: Math.max(most, looked.size), rounds }
    },
  }
}

describe('reading what a fleet shows', () => {
  const { reads, snapshot, mostInARound } = watched(
    Array.from({ length: TARGETS }, (_, n) =>
      aReceived({ server: `server-${n}`, repo: `repo-${n % 2}`, files: n % 3 === 0 ? [{ name: 'a' }] : [] }),
    ),
  )
  const selected = { repo: 'repo-1', within: null }

  /** By the n-th of those who ask at once. Each selects otherwise: what is written for one serves all who ask for the same. */
  const READS: Record<string, (n: number) => Promise<unknown>> = {
    'the status': (n) => reads.statusJson({ status: 'OUT_OF_SYNC', repo: `repo-0,repo-1,${n}`, within: null }, null),
    'the status of a repository': (n) => reads.statusJson({ repo: `repo-1,${n}`, within: null }, null),
    'the rows': (n) => reads.renderedStatusRows({ repo: `repo-1,${n}`, within: null }, 50_000),
    'the first rows': (n) => reads.renderedStatusRows({ within: null }, 10 + n),
    'the rows as values': () => reads.statusRows({ within: null }, null),
    'the files': () => reads.fileRows({ within: null }, null),
    'the servers': () => reads.groupRows({ within: null }, 'server'),
    'the last page of targets': () =>
      reads.targetsAfter(
        { status: 'UNKNOWN', within: null },
        { after: { repo: 'repo-0', server: 'server-2' }, limit: 100 },
      ),
    'the history of a repository': () => reads.periods(selected, { limit: 10, after: null, from: null, to: null }),
    'a badge': () =>
      snapshot.summary({
        repo: new Set(['repo-1']),
        server: null,
        status: null,
        cause: null,
        modifiedBy: null,
        within: null,
      }),
  }
  for (const [what, read] of Object.entries(READS)) {
    it(`looks at a part of it in each round of the event loop, however many ask at once: ${what}`, async () => {
      const { most, rounds } = await mostInARound(() => Promise.all(Array.from({ length: AT_ONCE }, (_, n) => read(n))))
      // What one does in a turn, and the beginning of the next.
      assert.ok(most <= 2 * ROWS_IN_A_TURN, `${most} targets in a round`)
      assert.ok(rounds >= (AT_ONCE * TARGETS) / 2 / ROWS_IN_A_TURN, `${rounds} rounds`)
    })
  }

  it('counts files as much as targets', async () => {
    const files = Array.from({ length: ROWS_IN_A_TURN }, (_, n) => ({ name: `file-${n}` }))
    const few = watched(Array.from({ length: 30 }, (_, n) => aReceived({ server: `server-${n}`, files })))
    for (const read of [
      () => few.reads.statusJson({ within: null, repo: 'rsyslog' }, null),
      () => few.reads.fileRows({ within: null }, null),
    ]) {
      const { most } = await few.mostInARound(read)
      assert.ok(most <= 3, `${most} targets in a round`)
    }
  })
})
