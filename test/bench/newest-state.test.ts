import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ReportRequests } from '../../bench/load/job.ts'
import { missingFrom, unheardSince } from '../../bench/newest-state.ts'
import { aBody } from '../server/a-report.ts'
import { type AppUnderTest, post, startTestApp } from '../server/start-app.ts'

const FROM = Date.parse('2026-04-21T10:00:00Z') / 1_000
const REQUESTS: ReportRequests = { kind: 'report', targets: 2, batch: null, lastCheck: { from: FROM } }

describe('what a benchmark believes', () => {
  let app: AppUnderTest
  let port = 0
  before(async () => {
    app = await startTestApp()
    port = Number(new URL(app.url).port)
    await post(app.url, aBody({ server: 'server-0000000', last_check: '2026-04-21T10:00:02Z' }))
    await post(app.url, aBody({ server: 'server-0000001', last_check: '2026-04-21T10:00:01Z' }))
  })
  after(() => app.stop())

  it('is a server that shows the newest report of every target', async () => {
    assert.equal(await missingFrom(port, REQUESTS, 3), null)
  })

  it('is not a server that said 200 and shows an older report', async () => {
    assert.match(
      String(await missingFrom(port, REQUESTS, 4, 0)),
      /^server-0000001 shows 2026-04-21T10:00:01Z, and 2026-04-21T10:00:03Z was acknowledged$/,
    )
  })

  it('is not a server that said 200 and shows nothing', async () => {
    const empty = await startTestApp()
    const emptyPort = Number(new URL(empty.url).port)
    assert.match(String(await missingFrom(emptyPort, REQUESTS, 1, 0)), /^server-0000000 shows undefined/)
    await empty.stop()
  })

  it('is not a fleet of which a target was not heard since', async () => {
    assert.equal(await unheardSince(port, [0, 1], new Date('2026-04-21T10:00:01Z')), null)
    assert.match(
      String(await unheardSince(port, [0, 7], new Date('2026-04-21T10:00:01Z'))),
      /^server-0000007 shows null/,
    )
  })
})
