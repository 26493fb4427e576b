import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

// Letter by letter from the requirement, line breaks included.
const SYNCED = `{
"repo": "rsyslog",
"server": "rsyslog-lab",
"sync_status": "SYNCED",
"drift_count": 0,
"files": [],
"last_check": "2026-04-21T10:30:00Z"
}`
const OUT_OF_SYNC = `{
"repo": "rsyslog",
"server": "rsyslog-lab",
"sync_status": "OUT_OF_SYNC",
"drift_count": 2,
"files": [
{ "name": "rsyslog.conf" },
{ "name": "rsyslog.d/30-lab.conf" }
],
"last_check": "2026-04-21T10:30:00Z"
}`
const CURL = `curl -X POST \\
-H "Content-Type: application/json" \\
-d '{"repo":"rsyslog","server":"rsyslog-lab","sync_status":"SYNCED","drift_count":0,"files":[],"last_check":"2026-04-21T10:30:00Z"}' \\
http://gitops-status-server.observability-stack.svc.cluster.local:80/api/status`

/** Others parse this document: a change of it is looked at. `UPDATE_GOLDEN=1` rewrites the file. */
function assertGolden(name: string, value: unknown): void {
  const file = new URL(`../golden/status-json/${name}.json`, import.meta.url)
  const text = `${JSON.stringify(value, null, 2)}\n`
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, text)
  }
  assert.equal(text, readFileSync(file, 'utf8'))
}

describe('the requirement', () => {
  let app: AppUnderTest
  beforeEach(async () => {
    app = await startTestApp({ at: '2026-04-21T10:30:05Z' })
  })
  afterEach(() => app.stop())

  it('has its curl answered with 200, whenever it is sent, and its six fields shown as they were sent', async () => {
    app.setClock('2026-11-22T12:00:00Z')
    // The name is the cluster's; curl is told where it is for us.
    const { host, port } = { host: new URL(app.url).hostname, port: new URL(app.url).port }
    const name = 'gitops-status-server.observability-stack.svc.cluster.local:80'
    const command = `${CURL} --silent --write-out '\\n%{http_code}' --connect-to ${name}:${host}:${port}`
    const { stdout } = await promisify(execFile)('sh', ['-c', command])

    assert.match(stdout, /\n200$/)
    const { repo, server, sync_status, drift_count, files, last_check } = (await get(app.url, '/status.json')).body
    assert.deepEqual({ repo, server, sync_status, drift_count, files, last_check }, JSON.parse(SYNCED))
  })

  it('has its synced example answered and shown', async () => {
    const { status, body } = await post(app.url, SYNCED)

    assert.equal(status, 200)
    assert.deepEqual(body, { applied: true, changed: true, previous_status: 'UNKNOWN', warnings: [] })
    assertGolden('synced', (await get(app.url, '/status.json')).body)
  })

  it('has its out-of-sync example answered and shown', async () => {
    const { status } = await post(app.url, OUT_OF_SYNC)

    assert.equal(status, 200)
    assertGolden('out-of-sync', (await get(app.url, '/status.json')).body)
  })

  it('has its log line written, with who sent the report', async () => {
    await post(app.url, SYNCED, { 'user-agent': 'gitops-status/0.1.0 (Woodpecker)' })

    const line = app.log.find(({ msg }) => msg === 'POST /api/status from Woodpecker')
    const { request_id, duration_ms, ...fields } = line?.fields ?? {}
    assert.match(String(request_id), /^[0-9a-f-]{36}$/)
    assert.equal(typeof duration_ms, 'number')
    assert.deepEqual(fields, {
      repo: 'rsyslog',
      server: 'rsyslog-lab',
      sync_status: 'SYNCED',
      drift_count: 0,
      applied: true,
      changed: true,
      previous_status: 'UNKNOWN',
      warnings: [],
      status: 200,
    })
  })
})

describe('/status.json', () => {
  let app: AppUnderTest
  beforeEach(async () => {
    app = await startTestApp({ at: '2026-04-21T10:30:05Z' })
  })
  afterEach(() => app.stop())

  const report = (server: string, more: object = {}) => ({ ...JSON.parse(SYNCED), server, ...more })
  const drift = (server: string, more: object = {}) => ({ ...JSON.parse(OUT_OF_SYNC), server, ...more })
  const failure = (server: string, more: object = {}) =>
    report(server, { sync_status: 'UNKNOWN', error: { code: 'unreachable', message: 'No route to host' }, ...more })

  it('is one object of the same shape when nothing was ever reported', async () => {
    assertGolden('nothing', (await get(app.url, '/status.json')).body)
  })

  it('rolls several targets up, worst first', async () => {
    await post(app.url, [
      report('a', { last_check: '2026-04-21T10:29:00Z' }),
      failure('b'),
      drift('c'),
      drift('d', { revision: { commit: 'abc123' }, coverage: { checked: 3, total: 4, unchecked: [] } }),
    ])
    assertGolden('several', (await get(app.url, '/status.json')).body)
  })

  it('keeps the drift last seen on show when the check fails', async () => {
    await post(app.url, drift('a'))
    app.advance(120)
    await post(app.url, failure('a', { last_check: '2026-04-21T10:32:00Z' }))
    assertGolden('check-failed', (await get(app.url, '/status.json')).body)
  })

  it('becomes LATE after the period and UNKNOWN when the grace is over, and comes back with the next report', async () => {
    const shown = async () => {
      const { sync_status, reason, freshness, drift_count } = (await get(app.url, '/status.json')).body
      return { sync_status, reason, freshness, drift_count }
    }
    await post(app.url, drift('a'))
    app.advance(121)
    assert.deepEqual(await shown(), { sync_status: 'OUT_OF_SYNC', reason: null, freshness: 'LATE', drift_count: 2 })
    app.advance(180)
    assert.deepEqual(await shown(), { sync_status: 'UNKNOWN', reason: 'stale', freshness: 'STALE', drift_count: 2 })
    assertGolden('stale', (await get(app.url, '/status.json')).body)

    await post(app.url, report('a', { last_check: '2026-04-21T10:35:06Z' }))
    assert.deepEqual(await shown(), { sync_status: 'SYNCED', reason: null, freshness: 'FRESH', drift_count: 0 })
  })

  it('has the same keys with none, one and several targets', async () => {
    const keys = async () => Object.keys((await get(app.url, '/status.json')).body).sort()
    const none = await keys()
    await post(app.url, report('a'))
    assert.deepEqual(await keys(), none)
    await post(app.url, report('b'))
    assert.deepEqual(await keys(), none)
  })

  it('lets no jump of its own clock age a target, in either direction', async () => {
    await post(app.url, report('a'))
    for (const time of ['2026-04-24T10:30:05Z', '2026-04-21T08:30:05Z']) {
      app.setClock(time)
      const { freshness, age_seconds, contact_age_seconds } = (await get(app.url, '/status.json')).body
      assert.deepEqual(
        { freshness, age_seconds, contact_age_seconds },
        { freshness: 'FRESH', age_seconds: 5, contact_age_seconds: 0 },
      )
    }
  })

  it('shows a report to whoever reads after its 200', async () => {
    for (let second = 0; second < 20; second++) {
      const last_check = `2026-04-21T10:29:${String(second).padStart(2, '0')}Z`
      await post(app.url, report('a', { last_check }))
      assert.equal((await get(app.url, '/status.json')).body.last_check, last_check)
    }
  })

  it('is JSON whatever Accept says, as Grafana prefers text/plain', async () => {
    const response = await fetch(`${app.url}/status.json`, { headers: { accept: 'application/json;q=0.9,text/plain' } })
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    assert.equal(response.headers.get('cache-control'), 'no-cache')
  })

  describe('narrowed', () => {
    beforeEach(() => post(app.url, [report('a'), drift('b'), failure('c'), report('a', { repo: 'nginx' })]))

    const SELECTIONS: Record<string, string[]> = {
      '': ['rsyslog b', 'rsyslog c', 'nginx a', 'rsyslog a'],
      '?repo=rsyslog&server=a': ['rsyslog a'],
      '?server=a': ['nginx a', 'rsyslog a'],
      '?server=a,c': ['rsyslog c', 'nginx a', 'rsyslog a'],
      '?server={a,c}&repo=rsyslog': ['rsyslog c', 'rsyslog a'],
      '?server=%7Bb%7D': ['rsyslog b'],
      '?server=b&server=c': ['rsyslog b', 'rsyslog c'],
      '?status=OUT_OF_SYNC,UNKNOWN': ['rsyslog b', 'rsyslog c'],
      '?repo=*&server=&status=*': ['rsyslog b', 'rsyslog c', 'nginx a', 'rsyslog a'],
      '?repo=no-such': [],
      '?something=else': ['rsyslog b', 'rsyslog c', 'nginx a', 'rsyslog a'],
    }
    for (const [query, targets] of Object.entries(SELECTIONS)) {
      it(`by "${query}" has ${targets.length} targets`, async () => {
        const { body } = await get(app.url, `/status.json${query}`)
        assert.deepEqual(
          body.items.map(({ repo, server }: { repo: string; server: string }) => `${repo} ${server}`),
          targets,
        )
        assert.equal(body.target_count, targets.length)
      })
    }

    for (const query of ['?server=%24%7Bserver%7D', '?repo=$%7Brepo:csv}', '?status=BROKEN']) {
      it(`by "${query}" is refused, and says which filter is wrong`, async () => {
        const { status, body } = await get(app.url, `/status.json${query}`)
        assert.equal(status, 400)
        assert.match(body.errors[0].field, /repo|server|status/)
      })
    }
  })
})
