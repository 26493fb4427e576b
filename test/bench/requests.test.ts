import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReportRequests } from '../../bench/load/job.ts'
import { createWriter, lastCheckOf } from '../../bench/load/requests.ts'
import { newestRequestOf } from '../../bench/newest-state.ts'

const FROM = Date.parse('2026-04-21T10:30:00Z') / 1_000

function reports(overrides: Partial<ReportRequests> = {}): ReportRequests {
  return { kind: 'report', targets: 1, batch: null, lastCheck: { from: FROM }, ...overrides }
}

function bodyOf(request: Buffer) {
  const [head = '', body = ''] = request.toString().split('\r\n\r\n')
  assert.equal(Number(/Content-Length: (\d+)/.exec(head)?.[1]), body.length)
  return JSON.parse(body)
}

describe('the requests of the load generator', () => {
  it("are the requirement's OUT_OF_SYNC example", () => {
    assert.deepEqual(bodyOf(createWriter(reports())(0)), {
      repo: 'rsyslog',
      server: 'server-0000000',
      sync_status: 'OUT_OF_SYNC',
      drift_count: 2,
      files: [{ name: 'rsyslog.conf' }, { name: 'rsyslog.d/30-lab.conf' }],
      last_check: '2026-04-21T10:30:00Z',
    })
  })

  it('never repeat a report, in whatever order their buffers are used again', () => {
    const requests = reports({ targets: 200, batch: 10 })
    const write = createWriter(requests)
    const seen = new Set<string>()
    // Every other one, as one of two connections would write them.
    for (let n = 0; n < 200; n += 2) for (const report of bodyOf(write(n))) seen.add(JSON.stringify(report))
    assert.equal(seen.size, 1_000)
  })

  it('let what must be on show be computed', () => {
    const requests = reports({ targets: 200, batch: 10 })
    const write = createWriter(requests)
    const shown = new Map<string, string>()
    for (let n = 0; n < 27; n++) for (const { server, last_check } of bodyOf(write(n))) shown.set(server, last_check)

    for (let target = 0; target < 200; target++) {
      const newest = newestRequestOf(requests, 27, target)
      assert.equal(
        shown.get(`server-${String(target).padStart(7, '0')}`),
        lastCheckOf(requests.lastCheck, newest ?? -1),
      )
    }
    assert.equal(newestRequestOf(requests, 2, 25), null)
  })
})
