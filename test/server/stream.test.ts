import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ANYBODY } from '../../src/domain/authorize.ts'
import { Fault } from '../../src/domain/fault.ts'
import { type HttpServer, listen, type Reads } from '../../src/http/server.ts'
import { createStream, type Stream } from '../../src/stream/stream.ts'
import { createEventReader, createFollower, type Follower } from './event-reader.ts'
import { createFakeFleet, type FakeFleet } from './fake-fleet.ts'
import { itTakesLong, LONG, lengthOf, quantile } from './long.ts'
import type { Seen } from './many-clients.ts'

const LOG = { debug() {}, info() {}, warn() {}, error() {} }

interface Served {
  readonly fleet: FakeFleet
  readonly stream: Stream
  readonly http: HttpServer
  /** How many rows were asked for so far. */
  rowsRead(): number
}

const running: Served[] = []
afterEach(async () => {
  for (const { stream, http } of running.splice(0)) {
    await stream.stop()
    await http.close()
  }
})

const fail = () => assert.fail()
const NO_READS: Reads = {
  statusJson: fail,
  render: fail,
  renderedStatusRows: fail,
  statusRows: fail,
  fileRows: fail,
  groupRows: fail,
  historyRows: fail,
  totalRows: fail,
  transitionRows: fail,
  targetsAfter: fail,
  target: fail,
  removeTarget: fail,
  periods: fail,
  episodes: fail,
}

/** The real server on a fleet that does what the test says. */
async function serve({ rowBytes = 0, open }: { rowBytes?: number; open?: () => void } = {}): Promise<Served> {
  const fleet = createFakeFleet({ rowBytes })
  const monotonicMs = () => performance.now()
  let rowsRead = 0
  const stream = createStream({
    server: 's1',
    beginning: fleet.beginning(),
    epochs: fleet.epochs,
    rowText(target) {
      rowsRead += 1
      return fleet.rowText(target)
    },
    now: () => new Date(),
    asOf: () => new Date(),
    refuseIfBehind() {},
    monotonicMs,
    after: (ms, run) => setTimeout(run, ms).unref(),
  })
  const http = await listen({
    host: '127.0.0.1',
    port: 0,
    ingest: async () => [],
    admit: () => ANYBODY,
    auditLog: async () => [],
    ...NO_READS,
    version: '0.0.0',
    dashboardPage: null,
    plainPage: () => assert.fail(),
    assets: new Map(),
    checkReady: async () => {},
    secondsBehind: () => null,
    badgeSvg: () => assert.fail(),
    badgeJson: () => assert.fail(),
    exposition: () => assert.fail(),
    meter: { countRequest() {}, countRefusal() {} },
    events: {
      open: open ?? stream.open,
      filter: ({ server }) => (server === undefined ? null : (target) => target.server === server),
    },
    monotonicMs,
    log: LOG,
  })
  const served = { fleet, stream, http, rowsRead: () => rowsRead }
  running.push(served)
  return served
}

interface Client {
  readonly socket: Socket
  readonly follower: Follower
  head(): string
}

/** Connects as plainly as can be: thousands of these fit into this process. */
function follow(
  url: string,
  { lastEventId, follower = createFollower() }: { lastEventId?: string | undefined; follower?: Follower } = {},
): Client {
  const { hostname, port } = new URL(url)
  const socket = connectSocket(Number(port), hostname)
  const read = createEventReader()
  let head = ''
  let isBody = false
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (piece: string) => {
    let body = piece
    if (!isBody) {
      head += piece
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      isBody = true
      body = head.slice(end + 4)
      head = head.slice(0, end)
    }
    for (const event of read(body)) follower.take(event)
  })
  const id = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
  socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\n${id}\r\n`)
  return { socket, follower, head: () => head }
}

/** Waits for what must come; the test's own time limit ends it otherwise. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await wait(5)
}

const isReady = ({ follower }: Client) => follower.events.some(({ event }) => event === 'ready')

describe('GET /api/v1/events', () => {
  it('is an event stream that nobody stores or collects', async () => {
    const { http, fleet, stream } = await serve()
    stream.follow([fleet.change('a')])
    const client = follow(http.url)
    await until(() => isReady(client))

    assert.match(client.head(), /^HTTP\/1.1 200 OK\r\n/)
    assert.match(client.head(), /\r\ncontent-type: text\/event-stream; charset=utf-8(\r\n|$)/i)
    assert.match(client.head(), /\r\ncache-control: no-store(\r\n|$)/i)
    assert.match(client.head(), /\r\nx-accel-buffering: no(\r\n|$)/i)
    assert.match(client.head(), /\r\nx-content-type-options: nosniff(\r\n|$)/i)
    assert.doesNotMatch(client.head(), /transfer-encoding|content-encoding/i)

    stream.follow([fleet.change('b')])
    await until(() => client.follower.rows.size === 2)
    client.socket.destroy()
    await until(() => stream.counts().clients === 0)
  })

  it('goes on after the header Last-Event-ID, or the parameter last_event_id of whom cannot send it', async () => {
    const { http, fleet, stream } = await serve()
    stream.follow([fleet.change('a'), fleet.change('b')])
    const ASKED: [string, Record<string, string>, RegExp][] = [
      ['?last_event_id=1-e1', {}, /^retry: \d+\n\nid: 2-e1-s1\nevent: target\n/],
      ['?last_event_id=0-e1', { 'last-event-id': '2-e1' }, /^retry: \d+\n\nid: 2-e1-s1\nevent: ready\n/],
      ['?last_event_id=', {}, /^retry: \d+\n\nid:\nevent: reset\n/],
      ['?last_event_id=0-e1&last_event_id=1-e1&server=a', {}, /^retry: \d+\n\nid: 2-e1-s1\nevent: ready\n/],
    ]
    for (const [query, headers, expected] of ASKED) {
      const response = await fetch(`${http.url}/api/v1/events${query}`, { headers })
      const reader = response.body?.getReader()
      assert.match(Buffer.from((await reader?.read())?.value ?? []).toString(), expected)
      await reader?.cancel()
    }
  })

  it('answers HEAD without opening a stream, and refuses a filter by status', async () => {
    const { http, stream } = await serve()
    const head = await fetch(`${http.url}/api/v1/events`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    const filtered = await fetch(`${http.url}/api/v1/events?status=SYNCED`)
    assert.equal(filtered.status, 400)
    assert.match(await filtered.text(), /invalid_filter/)
    assert.equal(stream.counts().clients, 0)
  })

  it('is a 503 that says when to come back when there is no place', async () => {
    const { http } = await serve({
      open: () => {
        throw new Fault('overloaded', 'full')
      },
    })
    const response = await fetch(`${http.url}/api/v1/events`)
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1'])
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
  })
})

describe('many clients', () => {
  const COUNT = lengthOf({ gate: 1_000, long: 10_000 })

  it(`${COUNT} of them hear of 50 changes a second within 2 seconds, and are let go within 5 (R11, R16)`, {
    timeout: 120_000,
  }, async () => {
    const { http, fleet, stream } = await serve()
    stream.follow(Array.from({ length: 100 }, (_, index) => fleet.change(`t${index}`)))
    const program = new URL('./many-clients.ts', import.meta.url)
    const clients = fork(program, [new URL(http.url).port, String(COUNT)])
    assert.deepEqual(await once(clients, 'message'), ['ready', undefined])

    for (let index = 0; index < 100; index++) {
      stream.follow([fleet.change(`t${index}`)])
      await wait(20)
    }
    await wait(1_500) // the longest time for a group, and to write it

    const said = once(clients, 'message')
    const stoppingAt = performance.now()
    await stream.stop()
    await http.close()
    const stopMs = performance.now() - stoppingAt
    const [seen] = (await said) as [Seen]

    console.log(`${COUNT} clients: ${JSON.stringify(seen)}, stopped in ${Math.round(stopMs)} ms`)
    assert.equal(seen.events, COUNT * 100)
    assert.ok(seen.p99Ms <= 2_000)
    assert.equal(seen.told, COUNT)
    assert.ok(stopMs <= 5_000)
  })

  it('that are let go do not wait for those that do not read', async () => {
    const { http, fleet, stream, rowsRead } = await serve({ rowBytes: 50_000 })
    stream.follow(Array.from({ length: 1_000 }, (_, index) => fleet.change(`t${index}`)))
    const deaf = follow(http.url)
    deaf.socket.pause()
    for (let before = -1; before !== rowsRead() || before === 0; await wait(50)) before = rowsRead()
    assert.equal(stream.counts().catchingUp, 1)
    const stoppingAt = performance.now()
    await stream.stop()
    await http.close()
    assert.ok(performance.now() - stoppingAt <= 3_000)
    deaf.socket.destroy()
  })
})

describe('slow readers', () => {
  it('200 that never read cost little memory and keep nobody waiting (R15)', async () => {
    const { http, fleet, stream } = await serve({ rowBytes: 4_000 })
    const reader = follow(http.url)
    await until(() => isReady(reader))

    const waitsMs: number[] = []
    let peak = 0
    async function report(count: number) {
      for (let index = 0; index < count; index++) {
        const askedAt = performance.now()
        const change = fleet.change(`t${index}`)
        stream.follow([change])
        if (index % 100 !== 99) continue
        await until(() => reader.follower.lastEventId() === `${change.seq}-e1-s1`)
        waitsMs.push(performance.now() - askedAt)
        peak = Math.max(peak, process.memoryUsage().rss)
      }
    }
    await report(2_000) // what the process itself needs for so many rows and events
    const before = process.memoryUsage().rss
    const deaf = Array.from({ length: 200 }, () => {
      const client = follow(http.url, { lastEventId: reader.follower.lastEventId() })
      client.socket.pause()
      return client
    })
    await until(() => stream.counts().clients === 201)
    await report(2_000)

    const grownMb = Math.round((peak - before) / 1024 / 1024)
    console.log(
      `RSS +${grownMb} MB, slowest event ${Math.round(Math.max(...waitsMs))} ms, ${JSON.stringify(stream.counts())}`,
    )
    // Both ends are in this process, and what was written until the system's own buffers were full is garbage in it.
    assert.ok(grownMb <= 100)
    assert.ok(quantile(waitsMs, 0.5) <= 2_000) // promised for each; others may be busy on this machine
    assert.deepEqual(reader.follower.rows, fleet.rows())
    if (LONG) await until(() => stream.counts().evicted === 200)
    for (const { socket } of deaf) socket.destroy()
  })
})

describe('coming back', () => {
  it('200 times ends in the final state of every target (R17)', async () => {
    const { http, fleet, stream } = await serve({ rowBytes: 2_000 })
    const reporting = new AbortController()
    const reports = (async () => {
      for (let round = 0; !reporting.signal.aborted; round++) {
        stream.follow([fleet.change(`t${(round * 13) % 200}`), fleet.change(`t${(round * 29) % 200}`)])
        if (round % 5 === 0) stream.follow([fleet.remove(`t${(round * 7) % 200}`)])
        await wait(2)
      }
    })()

    const followers = Array.from({ length: 8 }, () => createFollower())
    await Promise.all(
      followers.map(async (follower, who) => {
        for (let round = 0; round < 25; round++) {
          const seen = follower.events.length
          const client = follow(http.url, { follower, lastEventId: follower.lastEventId() })
          await until(() => follower.events.length > seen)
          await wait((round * 31 + who * 17) % 60)
          client.socket.destroy()
        }
      }),
    )
    reporting.abort()
    await reports

    for (const follower of followers) {
      const seen = follower.events.length
      const client = follow(http.url, { follower, lastEventId: follower.lastEventId() })
      await until(() => follower.events.slice(seen).some(({ event }) => event === 'ready'))
      client.socket.destroy()
      assert.deepEqual(follower.rows, fleet.rows())
    }
    const resets = followers.map(({ events }) => events.filter(({ event }) => event === 'reset').length)
    assert.ok(Math.max(...resets) <= 3, 'all but the first times went on where they were')
  })

  itTakesLong('is not needed while the server lives: no timeout ends a stream', async () => {
    const { http, fleet, stream } = await serve()
    const client = follow(http.url)
    await wait(35_000)
    stream.follow([fleet.change('a')])
    await until(() => client.follower.rows.size === 1)
  })
})
