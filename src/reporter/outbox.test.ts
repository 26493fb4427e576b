import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import type { ReportBody } from '../contract/report.ts'
import { createOutbox } from './outbox.ts'
import type { Delivery } from './send.ts'

const DELIVERED: Delivery = { kind: 'delivered', httpStatus: 200, answers: [] }
const AWAY: Delivery = { kind: 'failed', reason: 'connection refused' }
const REFUSED: Delivery = { kind: 'refused', httpStatus: 422, reason: 'no' }

function aReport(server: string, at: number, more: Partial<ReportBody> = {}): ReportBody {
  const last_check = new Date(Date.UTC(2026, 3, 21, 10, 0, at)).toISOString().replace('.000', '')
  return { repo: 'app', server, sync_status: 'SYNCED', drift_count: 0, files: [], last_check, ...more }
}

const DRIFT: Partial<ReportBody> = { sync_status: 'OUT_OF_SYNC', drift_count: 1, files: [{ name: 'app.conf' }] }

function anOutbox() {
  let nowMs = 0
  const timers = new Set<{ atMs: number; run: () => void }>()
  const sent: string[] = []
  const said: string[] = []
  const server = { answer: (_: readonly ReportBody[]): Delivery => DELIVERED, holds: null as Promise<void> | null }
  const outbox = createOutbox({
    async send(reports) {
      sent.push(reports.map((one) => `${one.server} ${one.sync_status} ${one.last_check.slice(17, 19)}`).join(', '))
      await server.holds
      return server.answer(reports)
    },
    batchesOf: (reports) => [reports],
    heartbeatMs: 90_000,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    monotonicMs: () => nowMs,
    said: (line) => said.push(line),
  })
  async function pass(ms: number) {
    const untilMs = nowMs + ms
    for (;;) {
      const next = [...timers].sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      timers.delete(next)
      nowMs = next.atMs
      next.run()
      await settled()
    }
    nowMs = untilMs
  }
  return { outbox, server, said, pass, sent: () => sent.splice(0) }
}

describe('the outbox', () => {
  it('sends what happens in one moment together, and at once', async () => {
    const { outbox, pass, sent } = anOutbox()
    outbox.put(aReport('web1', 1))
    outbox.put(aReport('web2', 1))
    await pass(10)
    assert.deepEqual(sent(), ['web1 SYNCED 01, web2 SYNCED 01'])
  })

  it('sends what says nothing new when it is due, and not before', async () => {
    const { outbox, pass, sent } = anOutbox()
    for (let at = 0; at < 60; at += 10) {
      outbox.put(aReport('web1', at))
      await pass(10_000)
    }
    assert.deepEqual(sent(), ['web1 SYNCED 00'])
    await pass(40_000)
    assert.deepEqual(sent(), ['web1 SYNCED 50'])
  })

  it('says nothing of a server that nobody has looked at since', async () => {
    const { outbox, pass, sent } = anOutbox()
    outbox.put(aReport('web1', 0))
    await pass(3_600_000)
    assert.deepEqual(sent(), ['web1 SYNCED 00'])
  })

  it('keeps the newest of each server while the status server is away, and sends that', async () => {
    const { outbox, server, pass, sent, said } = anOutbox()
    server.answer = () => AWAY
    outbox.put(aReport('web1', 0, DRIFT))
    for (let at = 1; at < 50; at++) {
      outbox.put(aReport('web1', at))
      outbox.put(aReport('web2', at))
      await pass(10_000)
    }
    assert.ok(sent().length < 60)
    assert.deepEqual(said, ['✗ Status update failed (connection refused)'])
    server.answer = () => DELIVERED
    await pass(20_000)
    assert.deepEqual(sent(), ['web1 SYNCED 49, web2 SYNCED 49'])
    assert.equal(said[1], '✓ Status update successful (HTTP 200)')
  })

  it('never has an older report overtake a newer one', async () => {
    const { outbox, server, pass, sent } = anOutbox()
    let go = () => {}
    server.holds = new Promise((resolve) => {
      go = resolve
    })
    outbox.put(aReport('web1', 0, DRIFT))
    await pass(10)
    outbox.put(aReport('web1', 1))
    await pass(10)
    assert.deepEqual(sent(), ['web1 OUT_OF_SYNC 00'])
    go()
    await settled()
    assert.deepEqual(sent(), ['web1 SYNCED 01'])
  })

  it('lets no refused report keep the others from being known, nor be sent again and again', async () => {
    const { outbox, server, pass, sent, said } = anOutbox()
    server.answer = (reports) => (reports.some(({ server }) => server === 'web1') ? REFUSED : DELIVERED)
    outbox.put(aReport('web1', 0))
    outbox.put(aReport('web2', 0))
    await pass(60_000)
    assert.deepEqual(sent(), ['web1 SYNCED 00, web2 SYNCED 00', 'web1 SYNCED 00', 'web2 SYNCED 00'])
    assert.deepEqual(said, ['✗ Status update failed (HTTP 422: no)'])
  })

  it('sends what is new when it ends, and forgets who has left', async () => {
    const { outbox, pass, sent } = anOutbox()
    outbox.put(aReport('web1', 0))
    outbox.put(aReport('web2', 0))
    outbox.forget('web2')
    await outbox.stop()
    assert.deepEqual(sent(), ['web1 SYNCED 00'])
    outbox.put(aReport('web1', 1, DRIFT))
    await pass(60_000)
    assert.deepEqual(sent(), [])
  })
})
