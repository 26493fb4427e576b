import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { aDriftedRow, aRow } from '../../../../test/web/a-row.ts'
import { createFleet } from './fleet.ts'
import { followServer } from './follow-server.ts'
import { createHub } from './hub.ts'
import type { Told } from './told.ts'

const NOW = '2026-04-21T10:30:00Z'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A server that answers the streams that are asked for with one answer after the other, and the last again and again. */
async function aServer(
  t: TestContext,
  streams: readonly Answer[],
  { nextPoll = (): unknown => [aRow()], pollHeaders = {} } = {},
) {
  const asked: { readonly lastEventId: string | undefined }[] = []
  const polled = { times: 0 }
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path !== '/api/v1/events') {
      polled.times++
      Promise.resolve(nextPoll()).then((answer) =>
        response.writeHead(200, { 'content-type': 'application/json', ...pollHeaders }).end(JSON.stringify(answer)),
      )
      return
    }
    asked.push({ lastEventId: request.headers['last-event-id']?.toString() })
    streams[Math.min(asked.length, streams.length) - 1]?.(response, request)
  })
  async function start(port = 0) {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  async function stop() {
    if (!server.listening) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  await start()
  t.after(stop)
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, asked, polled, stop, startAgain: () => start(port) }
}

function event(name: string, data: unknown, id?: number): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}

function stream(...pieces: readonly string[]): Answer {
  return (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(pieces.join(''))
}

const refuse: Answer = (response) => response.writeHead(503, { 'retry-after': '1' }).end()

const RESET = `id:\n${event('reset', { reason: 'start' })}`
const READY = event('ready', { seq: 7, generated_at: NOW }, 7)
const WHOLE = RESET + event('target', aRow(), 7) + READY

/** What was told, and a way to wait for more of it. */
function aListener() {
  const told: Told[] = []
  const heard = new EventEmitter()
  const fleet = createFleet()
  return {
    told,
    fleet,
    tell(one: Told) {
      told.push(one)
      fleet.take(one)
      heard.emit('told')
    },
    async until(met: (newest: Told) => boolean): Promise<void> {
      while (!told.some(met)) await once(heard, 'told')
    },
  }
}

function follow(t: TestContext, url: string) {
  const listener = aListener()
  const following = followServer(url, listener.tell)
  t.after(() => following.pause())
  return { ...listener, following }
}

describe('following the server', () => {
  it('is connecting until everything was told, and live from then on', async (t) => {
    const { url } = await aServer(t, [stream(WHOLE)])
    const { told, fleet, until } = follow(t, url)
    await until(({ connection }) => connection === 'live')
    assert.deepEqual(
      fleet.read().rows.map(({ server }) => server),
      ['rsyslog-lab'],
    )
    assert.equal(fleet.read().isComplete, true)
    assert.ok(Math.abs((told.at(-1)?.asOf ?? 0) - Date.parse(NOW)) < 5_000, 'as of the clock of the server')
  })

  it('goes on from the last event when the stream ends', async (t) => {
    const { url, asked } = await aServer(t, [
      (response, request) => {
        stream(WHOLE)(response, request)
        response.end(event('closing', { reason: 'stop' }))
      },
      stream(event('target', aDriftedRow('new'), 8), READY),
    ])
    const { fleet, told, until } = follow(t, url)
    await until(({ rows }) => rows.some(({ server }) => server === 'new'))
    assert.deepEqual(
      asked.map(({ lastEventId }) => lastEventId),
      [undefined, '7'],
    )
    assert.ok(told.some(({ connection }) => connection === 'reconnecting'))
    assert.equal(fleet.read().rows.length, 2, 'what was known before is still known')
  })

  it('is not live while it is told anew what it knew, and shows that until all is told', async (t) => {
    const { url } = await aServer(t, [
      async (response, request) => {
        stream(WHOLE)(response, request)
        await new Promise((resolve) => setTimeout(resolve, 50))
        response.write(RESET + event('target', aDriftedRow('new'), 8))
        await new Promise((resolve) => setTimeout(resolve, 50))
        response.write(event('ready', { seq: 8, generated_at: NOW }, 8))
      },
    ])
    const { fleet, told } = follow(t, url)
    const isToldAnew = () => told.at(-1)?.connection === 'live' && fleet.read().rows[0]?.server === 'new'
    while (!isToldAnew()) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(
      told
        .map(({ connection }) => connection)
        .filter((one, index, all) => one !== 'connecting' && one !== all[index - 1]),
      ['live', 'reconnecting', 'live'],
    )
    assert.equal(fleet.read().connection, 'live')
  })

  it('begins anew when it was cut off in the middle of beginning anew', async (t) => {
    const { url, asked } = await aServer(t, [
      (response, request) => {
        stream(WHOLE)(response, request)
        response.end()
      },
      (response, request) => {
        stream(RESET)(response, request)
        response.end()
      },
      stream(WHOLE),
    ])
    const { told } = follow(t, url)
    const isThere = () => asked.length === 3 && told.at(-1)?.connection === 'live'
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(
      asked.map(({ lastEventId }) => lastEventId),
      [undefined, '7', undefined],
    )
  })

  it('asks again and again where streams end without a word', async (t) => {
    const empty: Answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    const { url, asked } = await aServer(t, [empty])
    const { fleet, until } = follow(t, url)
    await until(({ connection }) => connection === 'polling')
    assert.equal(asked.length, 2)
    assert.deepEqual([fleet.read().isComplete, fleet.read().rows.length], [true, 1])
  })

  it('shows what there is at once where streams open and say nothing, and soon asks again and again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { url, asked } = await aServer(t, [
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    ])
    const { told, fleet, until } = follow(t, url)
    await until(({ isComplete }) => isComplete) // no timer has run
    assert.deepEqual([fleet.read().connection, fleet.read().rows.length], ['connecting', 1])
    assert.ok(fleet.read().asOf !== null)
    let waitedMs = 0
    while (!told.some(({ connection }) => connection === 'polling')) {
      t.mock.timers.tick(100)
      waitedMs += 100
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    }
    assert.ok(waitedMs < 8_000, `${waitedMs} ms`)
    assert.equal(asked.length, 1)
  })

  it('takes nothing from an answer once the stream has begun to tell', async (t) => {
    const steps = new EventEmitter()
    const { url, polled } = await aServer(
      t,
      [
        async (response) => {
          while (polled.times === 0) await new Promise(setImmediate)
          stream(RESET)(response, response.req)
          steps.once('answered', () => response.write(event('target', aDriftedRow('new'), 7) + READY))
        },
      ],
      { nextPoll: () => once(steps, 'heard').then(() => [aRow({ server: 'old' })]) },
    )
    const { told, fleet, until } = follow(t, url)
    await until(({ isReset }) => isReset)
    steps.emit('heard')
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    steps.emit('answered')
    await until(({ connection }) => connection === 'live')
    assert.deepEqual(
      told.flatMap(({ rows }) => rows.map(({ server }) => server)),
      ['new'],
    )
    assert.equal(fleet.read().rows.length, 1)
  })

  it('trusts nothing it knew after time in which it stood still, until the server has answered', async (t) => {
    for (const clocks of [
      { wallMs: 3_600_000, monotonicMs: 0 },
      { wallMs: 3_600_000, monotonicMs: 3_600_000 },
    ]) {
      t.mock.timers.enable({ apis: ['setInterval'] })
      const begun = { wallMs: Date.now(), monotonicMs: performance.now() }
      const past = { wallMs: 0, monotonicMs: 0 }
      t.mock.method(Date, 'now', () => begun.wallMs + past.wallMs)
      t.mock.method(performance, 'now', () => begun.monotonicMs + past.monotonicMs)
      const later = event('ready', { seq: 7, generated_at: '2026-04-21T11:30:00Z' }, 7)
      const answers = new EventEmitter()
      const { url, asked } = await aServer(t, [
        stream(WHOLE),
        (response) => answers.once('answer', () => stream(later)(response, response.req)),
      ])
      const { told, fleet, following, until } = follow(t, url)
      await until(({ connection }) => connection === 'live')
      const before = fleet.read().clockAheadMs
      past.wallMs = clocks.wallMs
      past.monotonicMs = clocks.monotonicMs
      t.mock.timers.tick(1_000)
      assert.equal(fleet.read().connection, 'reconnecting')
      assert.equal(fleet.read().asOf, Date.parse(NOW))
      assert.equal(fleet.read().clockAheadMs, before, 'what has aged meanwhile is not younger for it')
      while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
      answers.emit('answer')
      while (told.at(-1)?.connection !== 'live') await new Promise((resolve) => setImmediate(resolve))
      assert.equal(fleet.read().asOf, Date.parse('2026-04-21T11:30:00Z'))
      assert.equal(fleet.read().clockAheadMs, before)
      assert.deepEqual(
        asked.map(({ lastEventId }) => lastEventId),
        [undefined, '7'],
      )
      following.pause()
      t.mock.reset()
      t.mock.timers.reset()
    }
  })

  it('says that it is not live when the answer is not ours, and goes on when it is again', async (t) => {
    const answers: unknown[] = [{ login: 'required' }, [null], [aRow()]]
    const { url } = await aServer(
      t,
      [(response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end()],
      {
        nextPoll: () => answers.shift() ?? [aRow()],
      },
    )
    const { told, until } = follow(t, url)
    await until(({ connection, rows }) => connection === 'polling' && rows.length === 1)
    assert.ok(told.every(({ rows }) => rows.every((row) => row !== null)))
    assert.equal(answers.length, 0)
  })

  it('stays away for as long as a server with too many clients asks', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { url, asked } = await aServer(t, [
      (response) => response.writeHead(503, { 'retry-after': '30' }).end(),
      stream(WHOLE),
    ])
    const { told } = follow(t, url)
    let waitedMs = 0
    while (!told.some(({ connection }) => connection === 'live')) {
      // Only while nothing is under way, so that what is waited for is what was asked for.
      if (asked.length === 1 && told.some(({ connection }) => connection === 'reconnecting')) {
        t.mock.timers.tick(100)
        waitedMs += 100
      }
      await new Promise(setImmediate)
    }
    assert.ok(waitedMs >= 30_000 && waitedMs <= 60_100, `${waitedMs} ms`)
  })

  it('is as of when the server says that it knows no more, however late it says so', async (t) => {
    const lost = { reason: 'store_unreadable', generated_at: '2026-04-21T10:29:50Z' }
    const { url, asked } = await aServer(t, [
      (response) => {
        stream(WHOLE)(response, response.req)
        response.end(event('closing', lost))
      },
      refuse,
      refuse,
      refuse,
    ])
    const { told, until } = follow(t, url)
    await until(({ connection }) => connection === 'reconnecting')
    const { asOf } = told.find(({ connection }) => connection === 'reconnecting') ?? {}
    assert.ok(Math.abs((asOf ?? 0) - Date.parse(lost.generated_at)) < 5, new Date(asOf ?? 0).toISOString())
    await until(() => asked.length > 1)
    assert.ok(!told.some(({ connection }) => connection === 'polling'))
  })

  it('shows what a server knows that refuses streams from the start, and as of when', async (t) => {
    const { url } = await aServer(t, [refuse], { pollHeaders: { date: new Date(NOW).toUTCString(), age: '17' } })
    const { told, fleet, until } = follow(t, url)
    await until(({ isComplete }) => isComplete)
    assert.equal(fleet.read().rows.length, 1)
    assert.deepEqual([...new Set(told.map(({ connection }) => connection))], ['reconnecting'])
    assert.ok(Math.abs((told.at(-1)?.asOf ?? 0) - (Date.parse(NOW) - 17_000)) < 500)
  })

  it('is not live while it asks again and again for what is old', async (t) => {
    const empty: Answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    const { url } = await aServer(t, [empty], { pollHeaders: { date: new Date(NOW).toUTCString(), age: '5' } })
    const { told, until } = follow(t, url)
    await until(({ isComplete }) => isComplete)
    assert.ok(!told.some(({ connection }) => connection === 'polling'))
    assert.ok(Math.abs((told.at(-1)?.asOf ?? 0) - (Date.parse(NOW) - 5_000)) < 500)
  })

  it('finds a server that was gone when it is back, and keeps what it knew until then', async (t) => {
    const server = await aServer(t, [stream(WHOLE), stream(RESET + event('target', aDriftedRow('new'), 1) + READY)])
    const { fleet, until, told } = follow(t, server.url)
    await until(({ connection }) => connection === 'live')
    await server.stop()
    await until(({ connection }) => connection === 'reconnecting')
    assert.equal(fleet.read().rows.length, 1)
    const before = told.length
    await server.startAgain()
    await until((one) => told.indexOf(one) >= before && one.connection === 'live')
    assert.deepEqual(
      fleet.read().rows.map((row) => row.server),
      ['new'],
    )
  })
})

describe('the hub of the pages of a browser', () => {
  it('connects once, and tells a page that comes later everything', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { url, asked } = await aServer(t, [stream(WHOLE)])
    const [first, second] = [aListener(), aListener()]
    const hub = createHub(url)
    const say = [hub.join(first)]
    await first.until(({ connection }) => connection === 'live')
    say.push(hub.join(second))
    assert.deepEqual(second.fleet.read().rows, first.fleet.read().rows)
    assert.equal(second.fleet.read().isComplete, true)
    assert.equal(asked.length, 1)
    endAll(t, say)
  })

  it('pauses when nobody has looked for half a minute, and goes on from there', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { url, asked } = await aServer(t, [stream(WHOLE), stream(event('target', aDriftedRow('new'), 8) + READY)])
    const page = aListener()
    const pass = aClock(t)
    const say = createHub(url).join(page)
    await page.until(({ connection }) => connection === 'live')
    say('hidden')
    pass(25)
    assert.equal(page.told.at(-1)?.connection, 'live')
    say('hidden')
    pass(10)
    assert.equal(page.told.at(-1)?.connection, 'paused')
    say('visible')
    await page.until(({ rows }) => rows.some(({ server }) => server === 'new'))
    assert.deepEqual(
      asked.map(({ lastEventId }) => lastEventId),
      [undefined, '7'],
    )
    endAll(t, [say])
  })

  it('forgets a page that says nothing any more, and tells it everything when it speaks again', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { url } = await aServer(t, [stream(WHOLE)])
    const [quiet, other] = [aListener(), aListener()]
    const pass = aClock(t)
    const hub = createHub(url)
    const say = [hub.join(quiet), hub.join(other)]
    await quiet.until(({ connection }) => connection === 'live')
    for (let ten = 0; ten < 5; ten++) {
      pass(10)
      say[1]?.('visible')
    }
    const before = quiet.told.length
    say[0]?.('visible')
    const again = quiet.told[before]
    assert.deepEqual([again?.isReset, again?.isComplete, again?.rows.length], [true, true, 1])
    endAll(t, say)
  })
})

/** The clock that the hub looks at, with its timer. */
function aClock(t: TestContext): (seconds: number) => void {
  let nowMs = 1_000
  t.mock.method(performance, 'now', () => nowMs)
  return (seconds) => {
    for (let left = seconds; left > 0; left--) {
      nowMs += 1_000
      t.mock.timers.tick(1_000)
    }
  }
}

/** Ends the connection of a hub, which nothing else does. */
function endAll(t: TestContext, say: readonly ((message: 'gone') => void)[]): void {
  const pass = aClock(t)
  for (const one of say) one('gone')
  pass(40)
}
