import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { backUpStore } from '../../src/store/open-store.ts'
import { aBody } from './a-report.ts'
import { createEventReader, type SeenEvent } from './event-reader.ts'
import { NO_POSTGRES, startPostgres } from './postgres-cluster.ts'
import { type AppUnderTest, post, startTestApp } from './start-app.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-ids-'))
after(() => rmSync(root, { recursive: true, force: true }))

async function start(t: TestContext, databaseUrl: string, at?: string): Promise<AppUnderTest> {
  const app = await startTestApp({ databaseUrl, ...(at !== undefined && { at }) })
  t.after(() => app.stop())
  return app
}

/** Connects, and hands over the events up to `ready`. */
async function eventsOf({ url }: AppUnderTest, lastEventId = ''): Promise<SeenEvent[]> {
  const response = await fetch(`${url}/api/v1/events`, { headers: { 'last-event-id': lastEventId } })
  const read = createEventReader()
  const events: SeenEvent[] = []
  for await (const piece of response.body ?? []) {
    events.push(...read(Buffer.from(piece).toString()))
    if (events.at(-1)?.event === 'ready') return events
  }
  return assert.fail('the stream ended')
}

const idOf = (events: readonly SeenEvent[]) => events.at(-1)?.id ?? assert.fail('no id')
const told = (events: readonly SeenEvent[]) => events.map(({ event, data }) => `${event} ${data.server ?? ''}`.trim())
const freshnessIn = (events: readonly SeenEvent[]) =>
  events.filter(({ event }) => event === 'target').map(({ data }) => data.freshness)

async function reportFrom({ url }: AppUnderTest, ...servers: readonly string[]): Promise<void> {
  for (const server of servers) assert.equal((await post(url, aBody({ server }))).status, 200)
}

describe('an event id', () => {
  it('of a database that was put back to its backup and went on differently brings everything anew', async (t) => {
    const database = join(root, 'a.db')
    const copy = join(root, 'a-copy.db')
    const original = await start(t, `sqlite:${database}`)
    await reportFrom(original, 'a', 'b')
    const shared = idOf(await eventsOf(original))
    backUpStore(`sqlite:${database}`, copy)
    await reportFrom(original, 'c')
    const lost = idOf(await eventsOf(original, shared))

    const restored = await start(t, `sqlite:${copy}`)
    assert.deepEqual(told(await eventsOf(restored, shared)), ['ready'])
    await reportFrom(restored, 'd', 'e', 'f')

    assert.deepEqual(told(await eventsOf(restored, shared)), ['target d', 'target e', 'target f', 'ready'])
    const events = await eventsOf(restored, lost)
    assert.deepEqual(events[0]?.data, { reason: 'cannot_resume' })
    assert.deepEqual(told(events).slice(1), ['target a', 'target b', 'target d', 'target e', 'target f', 'ready'])
    assert.equal((await eventsOf(original, idOf(events)))[0]?.event, 'reset')
  })

  it('of another database brings everything anew', async (t) => {
    const [one, other] = [await start(t, 'sqlite::memory:'), await start(t, 'sqlite::memory:')]
    await reportFrom(one, 'a')
    await reportFrom(other, 'b', 'c')

    assert.deepEqual(told(await eventsOf(other, idOf(await eventsOf(one)))), ['reset', 'target b', 'target c', 'ready'])
  })

  it('is good after a restart', async (t) => {
    const databaseUrl = `sqlite:${join(root, 'restarted.db')}`
    const first = await startTestApp({ databaseUrl })
    await reportFrom(first, 'a')
    const id = idOf(await eventsOf(first))
    await first.stop()

    const second = await start(t, databaseUrl)
    assert.deepEqual(told(await eventsOf(second, id)), ['ready'])
    await reportFrom(second, 'b')
    assert.deepEqual(told(await eventsOf(second, id)), ['target b', 'ready'])
  })

  for (const { silence, seenAt, stoppedAt, backAt, shows } of [
    { silence: 'was not heard of before', seenAt: 0, stoppedAt: 3_000, backAt: 3_001, shows: ['FRESH', 'STALE'] },
    { silence: 'was heard of and is forgiven', seenAt: 150, stoppedAt: 150, backAt: 151, shows: ['LATE', 'FRESH'] },
    { silence: 'was heard of and stays', seenAt: 301, stoppedAt: 301, backAt: 3_901, shows: ['STALE', 'STALE'] },
    { silence: 'had not begun', seenAt: 100, stoppedAt: 100, backAt: 110, shows: ['FRESH'] },
  ]) {
    it(`tells after a restart of a silence that ${silence}`, async (t) => {
      const databaseUrl = `sqlite:${join(root, `silent-${seenAt}-${backAt}.db`)}`
      const first = await startTestApp({ databaseUrl })
      await reportFrom(first, 'a')
      first.advance(seenAt)
      const before = await eventsOf(first)
      first.advance(stoppedAt - seenAt)
      await first.stop()

      const at = new Date(Date.parse('2026-04-21T10:30:00Z') + backAt * 1_000).toISOString()
      const second = await start(t, databaseUrl, at)
      const after = await eventsOf(second, idOf(before))

      assert.deepEqual(freshnessIn([...before, ...after]), shows)
    })
  }

  it('of one server is good on another one of the same PostgreSQL schema', { skip: NO_POSTGRES }, async (t) => {
    const databaseUrl = await aSchema(t)
    const [one, other] = await Promise.all([startTestApp({ databaseUrl }), startTestApp({ databaseUrl })])
    t.after(() => Promise.all([one.stop(), other.stop()]))

    let id = idOf(await eventsOf(one))
    for (const [index, writer] of [one, other, one, other].entries()) {
      await reportFrom(writer, `server-${index}`)
      const events = await eventsOf(writer, id)
      assert.deepEqual(told(events), [`target server-${index}`, 'ready'])
      id = idOf(events)
      const reader = writer === one ? other : one
      while (!told(await eventsOf(reader)).includes(`target server-${index}`));
      assert.deepEqual(told(await eventsOf(reader, id)), ['ready'])
    }
  })
  it('brings whoever moves to another server what that one says of silence', { skip: NO_POSTGRES }, async (t) => {
    const databaseUrl = await aSchema(t)
    const start = Date.parse('2026-04-21T10:30:00Z')
    const old = await startTestApp({ databaseUrl })
    await reportFrom(old, 'silent')
    old.advance(60)
    // It grants the target a new interval and grace, for all that it knows.
    const young = await startTestApp({ databaseUrl, at: new Date(start + 60_000).toISOString() })
    t.after(() => Promise.all([old.stop(), young.stop()]))
    let n = 0
    async function afterSeconds(seconds: number) {
      for (const app of [old, young]) app.advance(seconds)
      await reportFrom(old, `server-${n++}`) // so that both servers' ids are beyond the silence
      while (!told(await eventsOf(young)).includes(`target server-${n - 1}`));
    }
    const shown = (events: readonly SeenEvent[]) =>
      events.filter(({ data }) => data.server === 'silent').map(({ data }) => data.freshness)

    for (const [seconds, atOld, atYoung] of [
      [10, 'FRESH', 'FRESH'],
      [80, 'LATE', 'FRESH'],
      [60, 'LATE', 'LATE'],
      [100, 'STALE', 'LATE'],
      [60, 'STALE', 'STALE'],
    ] as const) {
      await afterSeconds(seconds)
      const there = await eventsOf(old)
      assert.deepEqual(shown(there), [atOld])
      const moved = await eventsOf(young, idOf(there))
      assert.deepEqual(shown(moved), atOld === 'FRESH' ? [] : [atYoung], `after ${seconds} s more`)
      const back = await eventsOf(old, idOf(moved))
      assert.deepEqual(shown(back), atOld === 'FRESH' ? [] : [atOld])
      assert.deepEqual(shown(await eventsOf(old, idOf(back))), [], 'what it said itself it need not say again')
    }
  })
})

/** An empty one, of a PostgreSQL that is stopped when the test is over. */
async function aSchema(t: TestContext): Promise<string> {
  const cluster = await startPostgres()
  t.after(() => cluster.stop())
  return cluster.newSchema()
}
