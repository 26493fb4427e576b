import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createEventReader, createFollower } from '../../test/server/event-reader.ts'
import { createFakeFleet } from '../../test/server/fake-fleet.ts'
import { Fault } from '../domain/fault.ts'
import type { Beginning } from './change-log.ts'
import { createStream, MAX_CLIENTS, type Outlet, type Wish } from './stream.ts'

/** A clock with timers that stands still until it is told otherwise. */
function createTimers() {
  let nowMs = 0
  let due: { readonly atMs: number; readonly run: () => void }[] = []

  return {
    monotonicMs: () => nowMs,
    after(ms: number, run: () => void) {
      due = [...due, { atMs: nowMs + ms, run }].sort((one, other) => one.atMs - other.atMs)
    },
    /** Time that passes while something runs. */
    pass(ms: number) {
      nowMs += ms
    },
    advance(ms: number) {
      const untilMs = nowMs + ms
      for (;;) {
        const [next, ...later] = due
        if (next === undefined || next.atMs > untilMs) break
        due = later
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = Math.max(nowMs, untilMs)
    },
  }
}

/** A connection whose other end takes what was written only when it is told to. */
class Connection extends EventEmitter implements Outlet {
  writes = 0
  isEnded = false
  destroyed = false
  onWrite: () => unknown = () => {}
  #waiting: { readonly text: string; readonly taken?: (() => void) | undefined }[] = []

  get writableLength() {
    return this.#waiting.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  }

  write(text: string | Uint8Array, taken?: () => void) {
    assert.ok(!this.isEnded && !this.destroyed, 'nothing is written after the end')
    this.writes += 1
    this.#waiting.push({ text: text.toString(), taken })
    this.onWrite()
  }

  end(text: string) {
    this.write(text)
    this.isEnded = true
  }

  destroy() {
    if (this.destroyed) return
    this.destroyed = true
    this.#waiting = []
    this.emit('close')
  }

  waiting(): string {
    return this.#waiting.map(({ text }) => text).join('')
  }

  /** Takes the oldest so many writes. */
  take(count = Number.POSITIVE_INFINITY): string {
    const taken = this.#waiting.splice(0, count)
    for (const { taken: tell } of taken) tell?.()
    if (this.isEnded && this.#waiting.length === 0) this.destroy()
    return taken.map(({ text }) => text).join('')
  }
}

function startStream({
  fleet = createFakeFleet(),
  beginning = fleet.beginning(),
  server = 's1',
}: {
  readonly server?: string
  readonly fleet?: ReturnType<typeof createFakeFleet>
  readonly beginning?: Beginning
} = {}) {
  const timers = createTimers()
  const now = () => new Date('2026-04-21T10:30:00Z')
  let isBehind = false
  const stream = createStream({
    server,
    beginning,
    epochs: fleet.epochs,
    rowText: fleet.rowText,
    now,
    asOf: now,
    refuseIfBehind() {
      if (isBehind) throw new Fault('store_unreadable', 'behind')
    },
    ...timers,
  })

  function connect({ lastEventId, matches = null }: Partial<Wish> = {}) {
    const connection = new Connection()
    const read = createEventReader()
    const follower = createFollower()
    stream.open({ lastEventId, matches }, () => connection)
    return {
      connection,
      follower,
      /** Takes the oldest so many writes and returns the names of the events in them. */
      take(count?: number): string[] {
        const events = read(connection.take(count))
        for (const event of events) follower.take(event)
        return events.map(({ event, data }) => (data.server === undefined ? event : `${event} ${data.server}`))
      },
    }
  }
  function fallBehind(is = true) {
    isBehind = is
    if (is) stream.interrupt('store_unreadable')
  }
  return { ...stream, timers, fleet, connect, fallBehind }
}

function codeOf(run: () => void): string | undefined {
  try {
    run()
  } catch (error) {
    return error instanceof Fault ? error.code : String(error)
  }
  return undefined
}

describe('a stream', () => {
  it('catches up, says that it is live, and follows', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a'), fleet.change('b')])

    const client = connect()
    assert.deepEqual(client.take(), ['reset', 'target a', 'target b', 'ready'])
    follow([fleet.change('c'), fleet.change('a'), fleet.remove('b')])
    timers.advance(100)

    assert.deepEqual(client.take(), ['target c', 'target a', 'removed b'])
    assert.deepEqual(client.follower.rows, fleet.rows())
  })

  it('writes the format that browsers read', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a')])
    const { connection } = connect()
    assert.match(
      connection.take(),
      /^retry: \d{4}\n\nid:\nevent: reset\ndata: {"reason":"start"}\n\nid: 1-e1-s1\nevent: target\ndata: {"repo":"fleet","server":"a",.*}\n\nid: 1-e1-s1\nevent: ready\ndata: {"seq":1,"generated_at":"2026-04-21T10:30:00Z"}\n\n$/,
    )
    timers.advance(15_000)
    assert.equal(connection.take(), ':\n\n')
  })

  it('goes on after the last event that a client has seen', () => {
    const { connect, follow, fleet } = startStream()
    follow([fleet.change('a'), fleet.change('b'), fleet.change('a'), fleet.remove('b')])
    assert.deepEqual(connect({ lastEventId: '2-e1' }).take(), ['target a', 'removed b', 'ready'])
    assert.deepEqual(connect({ lastEventId: '4-e1' }).take(), ['ready'])
  })

  it('leaves who begins anew no id of before to go on from, should it be cut off', () => {
    const { connect, follow, fleet } = startStream()
    follow([fleet.change('a')])
    const client = connect({ lastEventId: '9-e9' })
    client.take()
    assert.deepEqual([client.follower.events[0]?.event, client.follower.events[0]?.id], ['reset', ''])
  })

  it('says again when it has told everything, to a client that followed and was told to begin anew', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a')])
    const client = connect()
    client.take()
    follow(Array.from({ length: 10_050 }, (_, n) => fleet.remove(`gone-${n}`)))
    const told: string[] = []
    for (let page = 0; page < 10; page++) {
      timers.advance(1_000)
      told.push(...client.take())
    }
    assert.deepEqual(told, ['reset', 'target a', 'ready'])
    follow([fleet.change('b')])
    timers.advance(1_000)
    assert.deepEqual(client.take(), ['target b'])
  })

  for (const lastEventId of ['5-e1', '1', '1-', '1-e2', 'x', '-1-e1', '1.5-e1', '1e0-e1', '9'.repeat(20), ' 1-e1']) {
    it(`begins anew for the last event ${JSON.stringify(lastEventId)}, which it never sent`, () => {
      const { connect, follow, fleet } = startStream()
      follow([fleet.change('a')])
      const client = connect({ lastEventId })
      assert.deepEqual(client.take(), ['reset', 'target a', 'ready'])
      assert.deepEqual(client.follower.events[0]?.data, { reason: 'cannot_resume' })
    })
  }

  it('goes on in an epoch up to where the next one begins, and begins anew beyond it', () => {
    const fleet = createFakeFleet()
    for (const server of ['a', 'b', 'c', 'd']) fleet.change(server)
    const epochs = [
      { name: 'e1', after: -1 },
      { name: 'e2', after: 2 },
    ]
    const { connect } = startStream({ fleet: { ...fleet, epochs: () => epochs } })

    assert.deepEqual(connect({ lastEventId: '2-e1' }).take(), ['target c', 'target d', 'ready'])
    assert.deepEqual(connect({ lastEventId: '3-e2' }).take(), ['target d', 'ready'])
    assert.equal(connect({ lastEventId: '3-e1' }).take()[0], 'reset')
    const client = connect({ lastEventId: '2-e2' })
    client.take()
    assert.equal(client.follower.lastEventId(), '4-e2-s1')
  })

  it('tells of silence without an id, and again to whoever comes back', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a'), fleet.change('b')])
    const client = connect()
    client.take()
    follow([fleet.silence('a')])
    timers.advance(100)

    assert.deepEqual(client.take(), ['target a'])
    assert.equal(client.follower.events.at(-1)?.id, null)
    assert.deepEqual(connect({ lastEventId: client.follower.lastEventId() }).take(), ['target a', 'ready'])
  })

  it('tells who comes from another server of every silence, and of nothing else that it has seen', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow(['a', 'b', 'c'].map(fleet.change))
    follow([fleet.silence('a'), fleet.change('d'), fleet.silence('b'), fleet.change('e')])

    const own = connect({ lastEventId: '4-e1-s1' })
    assert.deepEqual(own.take(), ['target b', 'target e', 'ready'])
    const moved = connect({ lastEventId: '4-e1-s2' })
    assert.deepEqual(moved.take(), ['target a', 'target b', 'target e', 'ready'])
    assert.deepEqual(
      moved.follower.events.map(({ id }) => id),
      ['4-e1', '4-e1', '5-e1', '5-e1-s1'],
    )
    follow([fleet.change('a')])
    timers.advance(100)
    assert.deepEqual([moved.take(), moved.follower.lastEventId()], [['target a'], '6-e1-s1'])
    assert.deepEqual(connect({ lastEventId: '6-e1-s2' }).take(), ['target b', 'ready'])
  })

  it('tells all silences again to who was cut off on the move, wherever it comes to then', () => {
    const fleet = createFakeFleet({ rowBytes: 40_000 })
    const { connect, follow } = startStream({ fleet })
    follow(['a', 'b', 'c', 'd'].map(fleet.change))
    follow(['a', 'b', 'c', 'd'].map(fleet.silence))
    follow([fleet.change('e')])

    const cutOff = connect({ lastEventId: '5-e1-s2' })
    assert.deepEqual(cutOff.take(1), ['target a', 'target b'])

    assert.equal(cutOff.follower.lastEventId(), '5-e1')
    const again = connect({ lastEventId: '5-e1' })
    assert.deepEqual(again.take(1), ['target a', 'target b'])
  })

  it('writes at once what comes after quiet, and together what follows it', () => {
    const { connect, follow, fleet, timers } = startStream()
    const client = connect()
    client.take()
    timers.advance(1_000)
    follow([fleet.change('a')])
    timers.advance(0)
    assert.deepEqual(client.take(), ['target a'])

    for (const name of ['b', 'c', 'd']) {
      timers.advance(33)
      follow([fleet.change(name)])
    }
    assert.deepEqual(client.take(), [])
    timers.advance(1)
    assert.deepEqual(client.take(), ['target b', 'target c', 'target d'])
  })

  it('writes to everyone once for all changes within a tenth of a second, each target once', () => {
    const { connect, follow, fleet, timers } = startStream()
    const clients = [connect(), connect()]
    for (const client of clients) client.take()
    const before = clients.map(({ connection }) => connection.writes)

    for (let index = 0; index < 200; index++) follow([fleet.change(`t${index % 3}`)])
    timers.advance(100)

    for (const [index, client] of clients.entries()) {
      assert.equal(client.connection.writes, (before[index] ?? 0) + 1)
      assert.deepEqual(client.take(), ['target t2', 'target t0', 'target t1'])
    }
  })

  it('neither repeats nor loses anything when someone comes in the middle of a group', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a')])
    const client = connect()
    assert.deepEqual(client.take(), ['reset', 'target a', 'ready'])
    follow([fleet.change('b')])
    timers.advance(100)
    assert.deepEqual(client.take(), ['target b'])
    follow([fleet.change('c')])
    const late = connect()
    follow([fleet.change('d')])
    timers.advance(100)
    assert.deepEqual(late.take(), ['reset', 'target a', 'target b', 'target c', 'ready', 'target d'])
  })

  it('leaves out what the filter does not name', () => {
    const { connect, follow, fleet, timers } = startStream()
    follow([fleet.change('a'), fleet.change('b')])
    const client = connect({ matches: ({ server }) => server === 'b' })
    assert.deepEqual(client.take(), ['reset', 'target b', 'ready'])
    follow([fleet.change('a'), fleet.change('c')])
    timers.advance(100)
    assert.deepEqual(client.take(), [])
    follow([fleet.change('a'), fleet.change('b')])
    timers.advance(100)
    assert.deepEqual(client.take(), ['target b'])
  })

  it('does not tell of removals from before a client knew of anything', () => {
    const { connect, follow, fleet } = startStream()
    follow([fleet.change('a'), fleet.change('b'), fleet.remove('a')])
    assert.deepEqual(connect().take(), ['reset', 'target b', 'ready'])
  })

  it('lets everyone go while it cannot tell what is recorded, and takes them on again after that', () => {
    const { connect, follow, fleet, timers, fallBehind, counts } = startStream({
      fleet: createFakeFleet({ rowBytes: 20_000 }),
    })
    follow(['a', 'b', 'c', 'd', 'e', 'f'].map(fleet.change))
    const [live, catchingUp] = [connect({ lastEventId: '6-e1' }), connect()]
    live.take()
    catchingUp.take(1)

    fallBehind()

    assert.deepEqual(live.take(), ['closing'])
    const goodbye = { reason: 'store_unreadable', generated_at: '2026-04-21T10:30:00Z' }
    assert.deepEqual(live.follower.events.at(-1)?.data, goodbye)
    timers.advance(100)
    assert.deepEqual(catchingUp.take(), ['closing'])
    assert.equal(counts().clients, 0)
    const code = codeOf(() => connect())
    assert.equal(code, 'store_unreadable')

    follow([fleet.change('a')])
    fallBehind(false)
    assert.deepEqual(connect({ lastEventId: live.follower.lastEventId() }).take(), ['target a', 'ready'])
  })

  it('takes no more than 10,000 clients', () => {
    const { connect } = startStream()
    for (let count = 0; count < MAX_CLIENTS; count++) connect()
    assert.equal(
      codeOf(() => connect()),
      'overloaded',
    )
  })

  it('writes a large group at once, in parts', () => {
    const { connect, follow, fleet, timers } = startStream({ fleet: createFakeFleet({ rowBytes: 20_000 }) })
    const client = connect()
    client.take()
    follow(['a', 'b', 'c', 'd', 'e', 'f'].map(fleet.change))
    const parts: string[][] = []
    client.connection.onWrite = () => parts.push(client.take())
    timers.advance(100)
    assert.deepEqual(parts, [
      ['target a', 'target b', 'target c', 'target d'],
      ['target e', 'target f'],
    ])
  })

  it('writes less often when writing to everyone takes long', () => {
    const { connect, follow, fleet, timers } = startStream()
    const client = connect()
    client.connection.onWrite = () => timers.pass(50)
    client.take()
    follow([fleet.change('a')])
    timers.advance(0)
    client.take()
    follow([fleet.change('b')])
    timers.advance(199)
    assert.deepEqual(client.take(), [])
    timers.advance(1)
    assert.deepEqual(client.take(), ['target b'])
  })

  it('lets others have their turn while a filter passes over thousands of targets', () => {
    const { connect, follow, fleet, timers, counts } = startStream()
    follow(Array.from({ length: 5_000 }, (_, index) => fleet.change(`t${index}`)))
    const client = connect({ matches: ({ server }) => server === 't4999' })
    assert.deepEqual(client.take(), ['reset'])
    assert.equal(counts().catchingUp, 1)
    timers.advance(1)
    client.take()
    timers.advance(1)
    assert.deepEqual(client.take(), ['target t4999', 'ready'])
  })

  it('asks each client to come back after another time, so that not all come at once', () => {
    const { connect } = startStream()
    const retries = Array.from({ length: 100 }, () => /retry: (\d+)/.exec(connect().connection.take())?.[1])
    assert.equal(new Set(retries).size, 100)
  })

  it('has no heartbeat for whom something waits anyway', () => {
    const { connect, timers } = startStream()
    const { connection } = connect()
    timers.advance(15_000)
    assert.ok(!connection.take().endsWith('\n:\n\n'))
    timers.advance(15_000)
    assert.equal(connection.take(), ':\n\n')
  })

  it('forgets who went away while it caught up, or while others were written to', () => {
    const { connect, follow, fleet, timers, counts } = startStream({ fleet: createFakeFleet({ rowBytes: 20_000 }) })
    follow(Array.from({ length: 8 }, (_, index) => fleet.change(`t${index}`)))
    const client = connect()
    client.take()
    client.connection.destroy()
    timers.advance(1)
    assert.deepEqual(counts(), { clients: 0, catchingUp: 0, evicted: 0 })

    const clients = Array.from({ length: 1_000 }, () => connect({ lastEventId: '8-e1' }).connection)
    for (const connection of clients) connection.take()
    if (clients[0]) clients[0].onWrite = () => clients[999]?.destroy()
    follow([fleet.change('t0')])
    timers.advance(100)
    assert.deepEqual(counts(), { clients: 999, catchingUp: 0, evicted: 0 })
    assert.equal(clients.filter((connection) => connection.writableLength > 0).length, 999)
  })

  it('does not ask for rows while nobody follows', () => {
    const fleet = createFakeFleet()
    const { follow, timers, connect } = startStream({ fleet: { ...fleet, rowText: () => assert.fail() } })
    follow([fleet.change('a')])
    timers.advance(100)
    connect({ lastEventId: '1-e1' })
  })

  it('forgets who went away before its turn came', () => {
    const { open, counts } = startStream()
    const connection = new Connection()
    connection.destroy()
    open({ lastEventId: undefined, matches: null }, () => connection)
    assert.equal(counts().clients, 0)
  })

  it('begins anew for all when more is removed at once than is remembered', () => {
    const { connect, follow, fleet, timers } = startStream()
    const servers = Array.from({ length: 10_050 }, (_, index) => `t${index}`)
    follow([fleet.change('kept'), ...servers.map(fleet.change)])
    const client = connect()
    while (client.connection.writableLength > 0) {
      client.take()
      timers.advance(1)
    }
    follow(servers.map(fleet.remove))
    timers.advance(100)
    while (client.connection.writableLength > 0) {
      client.take()
      timers.advance(1)
    }
    assert.deepEqual(client.follower.rows, fleet.rows())
  })

  it('forgets who went away', () => {
    const { connect, counts } = startStream()
    connect().connection.destroy()
    assert.deepEqual(counts(), { clients: 0, catchingUp: 0, evicted: 0 })
  })
})

describe('a slow reader', () => {
  const ROW_BYTES = 20_000
  const LIMIT_BYTES = 256 * 1024

  it('gets the next page of a large fleet when it has taken the one before, and what changed meanwhile', () => {
    const { connect, follow, fleet, timers, counts } = startStream({ fleet: createFakeFleet({ rowBytes: ROW_BYTES }) })
    for (let index = 0; index < 10; index++) follow([fleet.change(`t${index}`)])
    const client = connect()
    timers.advance(1_000)
    assert.equal(counts().catchingUp, 1)
    assert.deepEqual(client.take(), ['reset', 'target t0', 'target t1', 'target t2', 'target t3'])

    follow([fleet.change('t0'), fleet.remove('t8'), fleet.silence('t1')])
    timers.advance(1)
    assert.deepEqual(client.take(), ['target t4', 'target t5', 'target t6', 'target t7'])
    timers.advance(1)
    assert.deepEqual(client.take(), ['target t9', 'target t0', 'removed t8', 'target t1', 'ready'])
    assert.deepEqual(client.follower.rows, fleet.rows())
  })

  it('never has more than 256 KiB waiting for it, and gets the newest of everything when it goes on', () => {
    const { connect, follow, fleet, timers, counts } = startStream({ fleet: createFakeFleet({ rowBytes: ROW_BYTES }) })
    const client = connect()
    client.take()
    for (let index = 0; index < 200; index++) {
      follow([fleet.change(`t${index % 20}`), fleet.change(`t${(index * 7) % 20}`)])
      timers.advance(100)
      assert.ok(client.connection.writableLength < LIMIT_BYTES)
    }
    assert.equal(counts().catchingUp, 1)

    const events: string[] = []
    while (client.connection.writableLength > 0) {
      events.push(...client.take())
      timers.advance(1)
    }

    assert.ok(events.length < 40, `${events.length} events`)
    assert.deepEqual(client.follower.rows, fleet.rows())
    assert.deepEqual(counts(), { clients: 1, catchingUp: 0, evicted: 0 })
  })

  it('is told and dropped when it takes nothing for half a minute', () => {
    const { connect, follow, fleet, timers, counts } = startStream({ fleet: createFakeFleet({ rowBytes: ROW_BYTES }) })
    for (let index = 0; index < 10; index++) follow([fleet.change(`t${index}`)])
    const { connection } = connect()
    timers.advance(29_999)
    assert.equal(counts().clients, 1)

    timers.advance(1)
    assert.deepEqual(counts(), { clients: 0, catchingUp: 0, evicted: 1 })
    assert.match(connection.waiting(), /event: evicted\ndata: {"reason":"too_slow"}\n\n$/)
    timers.advance(1_000)
    assert.ok(connection.destroyed)
  })

  it('begins anew when more removals passed meanwhile than are remembered', () => {
    const { connect, follow, fleet, timers } = startStream({ fleet: createFakeFleet({ rowBytes: ROW_BYTES }) })
    for (let index = 0; index < 10; index++) follow([fleet.change(`t${index}`)])
    const client = connect()
    for (let index = 0; index < 10_010; index++) follow([fleet.change('brief'), fleet.remove('brief')])
    for (let index = 0; index < 9; index++) follow([fleet.remove(`t${index}`)])
    for (let index = 0; index < 10_010; index++) follow([fleet.remove(`r${index}`)])

    while (client.connection.writableLength > 0) {
      client.take()
      timers.advance(1)
    }

    assert.deepEqual(client.follower.rows, fleet.rows())
    assert.equal(client.follower.events.filter(({ event }) => event === 'reset').length, 2)
  })
})

describe('a stream that stops', () => {
  it('tells each client to come back, takes no other, and waits for none that does not listen', async () => {
    const { connect, stop, timers, counts, fleet, follow } = startStream()
    follow([fleet.change('a')])
    const listening = connect()
    listening.take()
    const deaf = connect()
    follow([fleet.change('b')])

    const stopped = stop()
    assert.equal(
      codeOf(() => connect()),
      'shutting_down',
    )
    assert.deepEqual(listening.take(), ['closing'])
    assert.equal(counts().clients, 1)
    timers.advance(1_000)
    await stopped

    assert.ok(deaf.connection.destroyed)
    assert.deepEqual(counts(), { clients: 0, catchingUp: 0, evicted: 0 })
  })

  it('writes nothing more to whom it caught up with', () => {
    const { connect, follow, fleet, stop, timers } = startStream({ fleet: createFakeFleet({ rowBytes: 20_000 }) })
    follow(Array.from({ length: 8 }, (_, index) => fleet.change(`t${index}`)))
    const client = connect()
    client.take()
    void stop()
    timers.advance(1)
    assert.deepEqual(client.take(), ['closing'])
  })

  it('is done at once when nobody is there', async () => {
    await startStream().stop()
  })
})

describe('whatever happens', () => {
  const server = fc.integer({ min: 0, max: 11 }).map((index) => `t${index}`)
  const who = fc.integer({ min: 0, max: 3 })
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), server }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), server }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('silence' as const), server }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect' as const), who }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('take' as const), who, writes: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 50, 100, 16_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  )

  const isWanted = ({ server }: { readonly server: string }) => ['t1', 't2', 't3', 't10'].includes(server)

  it('each client ends with what every target shows, by ids that only ascend', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
        const fleet = createFakeFleet({ rowBytes: 20_000 })
        const silent = new Set<string>()
        let starts = 0
        let server = startStream({ fleet, server: `s${starts}` })
        const followers = Array.from({ length: 4 }, () => createFollower())
        const connections = new Map<
          number,
          { readonly connection: Connection; readonly read: ReturnType<typeof createEventReader> }
        >()

        function connect(who: number) {
          connections.get(who)?.connection.destroy()
          const connection = new Connection()
          const matches = who === 3 ? isWanted : null
          server.open({ lastEventId: followers[who]?.lastEventId(), matches }, () => connection)
          connections.set(who, { connection, read: createEventReader() })
        }
        function take(who: number, writes?: number) {
          const { connection, read } = connections.get(who) ?? {}
          for (const event of read?.(connection?.take(writes) ?? '') ?? []) followers[who]?.take(event)
          if (connection?.destroyed) connections.delete(who)
        }

        for (const step of steps) {
          if (step.do === 'change' || step.do === 'remove') {
            silent.delete(step.server)
            server.follow([fleet[step.do](step.server)])
          } else if (step.do === 'silence') {
            if (fleet.rowText({ repo: 'fleet', server: step.server }) === null) continue
            silent.add(step.server)
            server.follow([fleet.silence(step.server)])
          } else if (step.do === 'connect') connect(step.who)
          else if (step.do === 'disconnect') {
            connections.get(step.who)?.connection.destroy()
            connections.delete(step.who)
          } else if (step.do === 'take') take(step.who, step.writes)
          else if (step.do === 'wait') server.timers.advance(step.ms)
          else {
            for (const { connection } of connections.values()) connection.destroy()
            connections.clear()
            server = startStream({ fleet, server: `s${++starts}` })
            // A new process has to find out for itself who is silent.
            server.follow([...silent].map((name) => fleet.silence(name)))
          }
          for (const { connection } of connections.values()) assert.ok(connection.writableLength < 256 * 1024)
        }

        for (let round = 0; round < 20; round++) {
          for (const who of followers.keys()) {
            if (!connections.has(who)) connect(who)
            take(who)
          }
          server.timers.advance(200)
        }
        const wanted = [...fleet.rows()].filter(([key]) => isWanted({ server: key.replace('fleet ', '') }))
        for (const [who, { rows }] of followers.entries()) {
          assert.deepEqual(rows, who === 3 ? new Map(wanted) : fleet.rows())
        }
      }),
      { numRuns: 300 },
    )
  })

  it('a client that moves between two servers ends with what the last one shows, whatever each says of silence', () => {
    const name = fc.integer({ min: 0, max: 5 }).map((index) => `t${index}`)
    const at = fc.integer({ min: 0, max: 1 })
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('report' as const), name }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('silence' as const), name, at }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), at }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), writes: fc.integer({ min: 1, max: 2 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const fleet = createFakeFleet({ rowBytes: 30_000 })
        const silent = [new Set<string>(), new Set<string>()]
        const servers = silent.map((those, index) => {
          const rowText = (target: { readonly repo: string; readonly server: string }) =>
            those.has(target.server) ? JSON.stringify({ ...target, silent: true }) : fleet.rowText(target)
          return startStream({ fleet: { ...fleet, rowText }, server: `s${index}` })
        })
        const silence = (name: string) =>
          ({ target: { repo: 'fleet', server: name }, event: 'target', seq: null }) as const
        const follower = createFollower()
        let here = 0
        let connection = new Connection()
        let read = createEventReader()
        function move(to: number) {
          connection.destroy()
          here = to
          connection = new Connection()
          read = createEventReader()
          servers[to]?.open({ lastEventId: follower.lastEventId(), matches: null }, () => connection)
        }
        const take = (writes?: number) => read(connection.take(writes)).forEach(follower.take)
        function wait() {
          for (const { timers } of servers) timers.advance(100)
        }
        move(0)

        for (const step of steps) {
          if (step.do === 'report') {
            for (const those of silent) those.delete(step.name)
            const change = fleet.change(step.name)
            for (const { follow } of servers) follow([change])
          } else if (step.do === 'silence') {
            if (fleet.rowText({ repo: 'fleet', server: step.name }) === null) continue
            // Only one of them finds it silent; the other one knows that one may have.
            silent[step.at]?.add(step.name)
            for (const { follow } of servers) follow([silence(step.name)])
          } else if (step.do === 'move') move(step.at)
          else if (step.do === 'take') take(step.writes)
          else wait()
        }
        for (let round = 0; round < 20; round++) {
          take()
          wait()
        }

        const shown = new Map<string, unknown>(fleet.rows())
        for (const server of silent[here] ?? []) shown.set(`fleet ${server}`, { repo: 'fleet', server, silent: true })
        assert.deepEqual(follower.rows, shown)
      }),
      { numRuns: 500 },
    )
  })
})
