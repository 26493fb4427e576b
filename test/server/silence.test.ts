import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { aBody } from './a-report.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-silence-'))
after(() => rmSync(root, { recursive: true, force: true }))

const SERVERS = Array.from({ length: 20 }, (_, n) => `server-${n}`)

async function reportAll(app: AppUnderTest, last_check: string, servers: readonly string[] = SERVERS) {
  const { status } = await post(
    app.url,
    servers.map((server) => aBody({ server, last_check })),
  )
  assert.equal(status, 200)
}

async function freshness({ url }: AppUnderTest): Promise<Record<string, number>> {
  const { items } = (await get(url, '/status.json')).body
  const counts: Record<string, number> = {}
  for (const { freshness } of items) counts[freshness] = (counts[freshness] ?? 0) + 1
  return counts
}

describe('silence (R28, R33)', () => {
  it('makes a target STALE after interval and grace, to the second, and its next report ends that', async (t) => {
    const app = await startTestApp()
    await reportAll(app, '2026-04-21T10:30:00Z')
    let staleAfter = 0
    while ((await freshness(app)).STALE === undefined) {
      app.advance(1)
      staleAfter++
    }
    t.diagnostic(`R28: STALE ${staleAfter} s after the last report (promised: 300 s)`)
    assert.ok(Math.abs(staleAfter - 300) <= 1)
    assert.deepEqual(await freshness(app), { STALE: SERVERS.length })

    await reportAll(app, '2026-04-21T10:35:00Z', ['server-0'])
    assert.deepEqual(await freshness(app), { STALE: SERVERS.length - 1, FRESH: 1 })
    await app.stop()
  })

  it('of the server itself makes nothing STALE at once, and keeps STALE what was so before', async (t) => {
    const databaseUrl = `sqlite:${join(root, 'downtime.db')}`
    const first = await startTestApp({ databaseUrl })
    await reportAll(first, '2026-04-21T10:30:00Z')
    first.advance(301)
    await reportAll(first, '2026-04-21T10:34:50Z', SERVERS.slice(3))
    first.advance(15) // and it wrote down that it was there
    await get(first.url, '/readyz')
    await first.stop()

    const second = await startTestApp({ databaseUrl, at: '2026-04-21T11:05:30Z' })
    const after = await freshness(second)
    t.diagnostic(`R28: after 30 min of downtime ${(after.STALE ?? 0) - 3} of 17 live targets are STALE at once`)
    assert.deepEqual(after, { STALE: 3, FRESH: 17 })
    second.advance(301)
    assert.deepEqual(await freshness(second), { STALE: 20 }, 'the grace is over for those who stay silent')
    await second.stop()
  })

  it('while this process stood still says nothing, and the ages count it all the same', async (t) => {
    const app = await startTestApp()
    await reportAll(app, '2026-04-21T10:30:00Z')
    app.advance(60)
    app.standStill(3_600)
    const after = await freshness(app)
    t.diagnostic(`R33: after an hour of standing still ${after.STALE ?? 0} of ${SERVERS.length} targets are STALE`)
    assert.deepEqual(after, { FRESH: 20 })
    const [row] = (await get(app.url, '/status.json')).body.items
    assert.deepEqual([row.age_seconds, row.contact_age_seconds], [3_660, 3_660])
    app.advance(301 - 61)
    assert.deepEqual(await freshness(app), { STALE: 20 })
    await app.stop()
  })
})
