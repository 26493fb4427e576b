import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { missingTools } from '../../scripts/install-tools.ts'
import { STATUS } from '../../src/http/problem.ts'
import { aBody, aFailure } from './a-report.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

let app: AppUnderTest
beforeEach(async () => {
  app = await startTestApp({ at: '2026-04-21T10:30:03Z' })
})
afterEach(() => app.stop())

async function scrape(accept = 'text/plain'): Promise<string> {
  const response = await fetch(`${app.url}/metrics`, { headers: { accept } })
  assert.equal(response.status, 200)
  return response.text()
}

/** The value of one series; undefined when there is none. */
async function sample(series: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

describe('GET /metrics', () => {
  it('shows what each target shows', async () => {
    await post(app.url, aBody({ files: [{ name: 'a' }, { name: 'b' }] }))
    const labels = 'repo="rsyslog",server="rsyslog-lab"'
    assert.equal(await sample(`gitops_status_sync_status{${labels},sync_status="OUT_OF_SYNC"}`), 1)
    assert.equal(await sample(`gitops_status_sync_status{${labels},sync_status="SYNCED"}`), 0)
    assert.equal(await sample(`gitops_status_drifted_files{${labels}}`), 2)
    assert.equal(await sample(`gitops_status_last_check_timestamp_seconds{${labels}}`), 1776767400)
    assert.equal(await sample(`gitops_status_last_contact_timestamp_seconds{${labels}}`), 1776767403)
    assert.equal(await sample('gitops_status_targets{sync_status="OUT_OF_SYNC"}'), 1)

    app.advance(301)

    assert.equal(await sample(`gitops_status_stale{${labels}}`), 1)
    assert.equal(await sample(`gitops_status_sync_status{${labels},sync_status="UNKNOWN"}`), 1)
    assert.equal(await sample(`gitops_status_drifted_files{${labels}}`), 2)
    assert.equal(await sample('gitops_status_targets{sync_status="UNKNOWN"}'), 1)
  })

  it('keeps the drift when a check fails', async () => {
    await post(app.url, aBody({ files: [{ name: 'a' }] }))
    await post(app.url, aFailure({ last_check: '2026-04-21T10:30:01Z' }))
    assert.equal(await sample('gitops_status_drifted_files{repo="rsyslog",server="rsyslog-lab"}'), 1)
  })

  it('counts what became of reports', async () => {
    await post(app.url, aBody())
    await post(app.url, aBody())
    await post(app.url, [aBody({ last_check: '2026-04-21T10:29:00Z' }), aBody({ server: 'web-01' })])

    assert.equal(await sample('gitops_status_reports_total{result="applied"}'), 2)
    assert.equal(await sample('gitops_status_reports_total{result="late"}'), 1)
    assert.equal(await sample('gitops_status_reports_total{result="duplicate"}'), 1)
    assert.equal(await sample('gitops_status_store_append_duration_seconds_count'), 3)
    assert.equal(await sample('gitops_status_detection_lag_seconds_sum'), 6)
  })

  it('tells how old drift can be when it is known', async () => {
    await post(app.url, aBody())
    app.advance(121)
    await post(app.url, aBody({ last_check: '2026-04-21T10:32:00Z', files: [{ name: 'a' }] }))

    assert.equal(await sample('gitops_status_time_to_detection_seconds_sum'), 124)
    assert.equal(await sample('gitops_status_check_interval_ratio_sum'), 1)
  })

  it('counts requests by route, never by path', async () => {
    await post(app.url, aBody())
    await get(app.url, '/status.json?server=a')
    await get(app.url, '/status.json?server=b')
    for (const path of ['/nothing', '/status.json/..%2f', '/%ff']) await fetch(app.url + path)

    const text = await scrape()
    const requests = text.split('\n').filter((line) => line.startsWith('gitops_status_http_requests_total{'))
    assert.deepEqual(requests, [
      'gitops_status_http_requests_total{route="/api/status",method="POST",status="200"} 1',
      'gitops_status_http_requests_total{route="/status.json",method="GET",status="200"} 2',
      'gitops_status_http_requests_total{route="none",method="GET",status="404"} 2',
    ])
    assert.match(text, /^gitops_status_http_request_duration_seconds_count\{route="\/status.json"\} 2$/m)
  })

  it('has every reason for a refusal from the start, so that the first one shows', async () => {
    for (const [reason, status] of Object.entries(STATUS)) {
      assert.equal(await sample(`gitops_status_refused_requests_total{reason="${reason}",status="${status}"}`), 0)
    }
  })

  it('counts refusals by reason', async () => {
    await post(app.url, { ...aBody(), repo: 1 })
    await post(app.url, '{')
    await fetch(`${app.url}/nothing`)

    assert.equal(await sample('gitops_status_refused_requests_total{reason="invalid_report",status="422"}'), 1)
    assert.equal(await sample('gitops_status_refused_requests_total{reason="malformed_body",status="400"}'), 1)
    assert.equal(await sample('gitops_status_refused_requests_total{reason="not_found",status="404"}'), 1)
  })

  it('counts what never became a request', async () => {
    const { hostname, port } = new URL(app.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {}).resume()
    socket.write('no HTTP\r\n\r\n')
    await once(socket, 'close')
    assert.equal(await sample('gitops_status_refused_requests_total{reason="bad_request",status="400"}'), 1)
  })

  it('says in its type which format it is', async () => {
    const types: Record<string, string> = {
      'text/plain': 'text/plain; version=0.0.4; charset=utf-8',
      'application/openmetrics-text;version=1.0.0': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    }
    for (const [accept, type] of Object.entries(types)) {
      const response = await fetch(`${app.url}/metrics`, { headers: { accept } })
      assert.equal(response.headers.get('content-type'), type)
      assert.equal(response.headers.get('vary'), 'accept')
      await response.text()
    }
    assert.match(await scrape('application/openmetrics-text'), /\n# EOF\n$/)
  })

  it('is clean for promtool after all sorts of use', async (t) => {
    if (missingTools('test').some(({ command }) => command === 'promtool')) return t.skip('needs promtool')
    await post(app.url, [aBody(), aBody({ server: 'web-01', files: [{ name: 'a' }] })])
    await post(app.url, '{')
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' })
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  })
})
