import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { startUpkeep } from '../../src/upkeep.ts'
import { aBody } from './a-report.ts'
import { get, post, startTestApp } from './start-app.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-upkeep-'))
after(() => rmSync(root, { recursive: true, force: true }))

const DAY = 86_400
const EVER = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1_000, after: null }

describe('upkeep', () => {
  it('forgets history that is older than it was told to keep, and writes down that the server is there', async () => {
    const path = join(root, 'retention.db')
    const app = await startTestApp({ databaseUrl: `sqlite:${path}`, retentionMs: 2 * DAY * 1_000 })
    for (const name of ['a', 'b', 'c']) {
      await post(app.url, aBody({ files: [{ name }], run_id: name }))
      app.advance(10)
    }
    app.advance(3 * DAY)
    await get(app.url, '/readyz')
    await app.stop()

    const store = await openSqliteStore(path)
    const periods = await store.periods(EVER)
    assert.deepEqual(
      periods.map(({ newest }) => newest.report.driftedFiles),
      [['c']],
      'only the period that lasts is left',
    )
    const { aliveAt } = await store.latest()
    assert.ok(aliveAt !== null && aliveAt >= new Date('2026-04-24T10:30:00Z'))
    await store.close()
    assert.ok(app.log.some(({ msg }) => msg === 'history pruned'))
  })

  it('keeps everything when told so', async () => {
    const path = join(root, 'for-ever.db')
    const app = await startTestApp({ databaseUrl: `sqlite:${path}`, retentionMs: 0 })
    for (const name of ['a', 'b']) await post(app.url, aBody({ files: [{ name }], run_id: name }))
    app.advance(3 * DAY)
    await get(app.url, '/readyz')
    await app.stop()

    const store = await openSqliteStore(path)
    assert.equal((await store.periods(EVER)).length, 2)
    await store.close()
  })

  it('that fails is told once, goes on trying, and is told again after it worked', async () => {
    const { tick, log, store, stop } = anUpkeep()
    store.fails = true
    await tick()
    await tick()
    assert.equal(log.length, 1)
    store.fails = false
    await tick()
    store.fails = true
    await tick()
    assert.equal(log.length, 2)
    assert.equal(store.touches, 4)
    await stop()
  })

  it('prunes a minute after the start and then once an hour', async () => {
    const { tick, store, stop } = anUpkeep()
    const prunedAt: number[] = []
    for (let second = 15; second <= 7_300; second += 15) {
      const before = store.prunings
      await tick()
      if (store.prunings > before) prunedAt.push(second)
    }
    assert.deepEqual(prunedAt, [60, 3_660, 7_260])
    await stop()
  })
})

function anUpkeep() {
  const store = {
    fails: false,
    touches: 0,
    prunings: 0,
    async touch() {
      this.touches++
      if (this.fails) throw new Error('the disk is full')
    },
    async prune() {
      this.prunings++
      return 0
    },
  }
  const log: string[] = []
  const write = (_fields: unknown, msg?: string) => void log.push(msg ?? '')
  let monotonicMs = 0
  let task = () => {}
  const upkeep = startUpkeep({
    store,
    retentionMs: 1,
    now: () => new Date('2026-04-21T10:30:00Z'),
    monotonicMs: () => monotonicMs,
    every(_ms, repeated) {
      task = repeated
      return () => {}
    },
    log: { debug: write, info: write, warn: write, error: write },
  })
  return {
    store,
    log,
    stop: upkeep.stop,
    /** Fifteen seconds later. */
    async tick() {
      monotonicMs += 15_000
      task()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}
