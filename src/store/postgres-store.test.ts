import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { aReceived } from '../../test/server/a-report.ts'
import { NO_POSTGRES, type PostgresCluster, startPostgres } from '../../test/server/postgres-cluster.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import { Fault } from '../domain/fault.ts'
import type { Change } from '../domain/recorded.ts'
import { openTokenStore } from './open-store.ts'
import type { StoreLog } from './postgres-connection.ts'
import { MIGRATIONS } from './postgres-schema.ts'
import { openPostgresStore } from './postgres-store.ts'
import { MIGRATIONS as SQLITE_MIGRATIONS } from './sqlite-schema.ts'
import type { Store } from './store.ts'
import { describeStore } from './store-contract.ts'
import { anEntry, aToken, describeTokenStore } from './token-store-contract.ts'

const SILENT: StoreLog = { info() {}, warn() {} }
const EVER = { targets: null, from: new Date(0), to: new Date(8e15), limit: 100_000, after: null }
const START = Date.parse('2026-04-21T10:00:00Z')

let cluster: PostgresCluster
before(async () => {
  if (!NO_POSTGRES) cluster = await startPostgres()
})
after(() => cluster?.stop())

/** Opens a store that is closed when the test is over. */
async function open(t: TestContext, url: string, log = SILENT): Promise<Store> {
  const store = await openPostgresStore(url, log)
  t.after(() => store.close())
  return store
}

/** The n-th report of a target: they all come one after the other, and each says something else than the one before. */
function nth(n: number, server: string) {
  const at = new Date(START + n * 1_000).toISOString()
  return aReceived({ server, last_check: at.replace('.000', ''), files: [{ name: `file ${n}` }] }, at)
}

async function everything(store: Store) {
  const periods = await store.periods(EVER) // by then it knows what the others know
  const { records, seq } = await store.latest()
  return { records: [...records].sort((a, b) => a.seq - b.seq), seq, periods }
}

async function until(is: () => boolean | Promise<boolean>, ms: number): Promise<number> {
  const begun = performance.now()
  while (!(await is())) {
    assert.ok(performance.now() - begun < ms, `not within ${ms} ms`)
    await wait(5)
  }
  return performance.now() - begun
}

const isUnavailable = (error: unknown) => error instanceof Fault && error.code === 'store_unavailable'

describeStore('postgresql', async () => openPostgresStore(await cluster.newSchema(), SILENT), NO_POSTGRES)

describeTokenStore('postgresql', async () => openPostgresStore(await cluster.newSchema(), SILENT), NO_POSTGRES)

describe('a PostgreSQL schema', { skip: NO_POSTGRES }, () => {
  it('has the tokens that another process made', async (t) => {
    const url = await cluster.newSchema()
    const beside = await openTokenStore(url, true)
    t.after(() => beside.close())
    await beside.tokens.put(aToken('a'), anEntry('a'))

    const store = await open(t, url)
    assert.deepEqual(await store.tokens.list(), [aToken('a')])
    await store.tokens.noteUse([{ id: 'a', at: 7_000 }])
    assert.equal((await beside.tokens.list())[0]?.usedAt, 7_000)
  })

  it('has the numbers of SQLite’s schema', () => {
    assert.equal(MIGRATIONS.length, SQLITE_MIGRATIONS.length)
  })

  it('is made once by twenty servers that start at once, and all of them store reports', async (t) => {
    const url = await cluster.newSchema()

    const stores = await Promise.all(Array.from({ length: 20 }, () => open(t, url)))
    await Promise.all(stores.map((store, n) => store.append([nth(n, `server-${n}`)])))

    const applied = await cluster.sql(url, 'SELECT version FROM schema_version ORDER BY version')
    assert.deepEqual(
      applied.map(({ version }) => Number(version)),
      MIGRATIONS.map((_, index) => index + 1),
    )
    for (const store of stores) assert.equal((await store.periods(EVER)).length, 20)
  })

  it('of a newer version is refused and left as it is', async () => {
    const url = await cluster.newSchema()
    await (await openPostgresStore(url, SILENT)).close()
    await cluster.sql(url, 'INSERT INTO schema_version VALUES (1000)')

    assert.match(
      await refusalOf(url),
      /newer gitops-status-server \(schema 1000, this one knows 4\): start that version/,
    )
    assert.equal((await cluster.sql(url, 'SELECT * FROM schema_version')).length, 5)
  })

  it('has every state again when it is opened again', async (t) => {
    const url = await cluster.newSchema()
    const first = await openPostgresStore(url, SILENT)
    await first.append([nth(0, 'a'), nth(1, 'a'), nth(2, 'b')])
    await first.append([aReceived({ server: 'a', sync_status: 'UNKNOWN', last_check: '2026-04-21T10:30:00Z' })])
    await first.remove({ repo: 'rsyslog', server: 'b' }, new Date())
    await first.touch(new Date('2026-04-21T10:33:00Z'))
    await first.touch(new Date('2026-04-21T10:32:00Z')) // by a server whose clock is behind
    const before = await everything(first)
    await first.close()

    const second = await open(t, url)

    assert.deepEqual(await everything(second), before)
    assert.deepEqual((await second.latest()).aliveAt, new Date('2026-04-21T10:33:00Z'))
  })

  it('has one lineage for all servers on it, in which each writer begins an epoch with its first change', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = await Promise.all([open(t, url), open(t, url)])
    const namesOf = (store: Store) => store.epochs().map(({ name, after }) => `${after} ${name}`)
    const fresh = namesOf(one)
    assert.deepEqual([fresh.length, namesOf(other)], [1, fresh])

    await one.append([nth(0, 'a'), nth(1, 'a')])
    await one.append([nth(2, 'a')])
    await other.append([nth(3, 'a')])
    await one.append([nth(4, 'a')])
    await everything(other)

    assert.deepEqual(
      one.epochs().map(({ after }) => after),
      [-1, 0, 3],
    )
    assert.deepEqual(namesOf(other), namesOf(one))
    assert.equal(new Set(one.epochs().map(({ name }) => name)).size, 3)
    assert.deepEqual(namesOf(await open(t, url)), namesOf(one))
  })

  it('begins an epoch with the first change after a connection was lost', async (t) => {
    const url = await cluster.newSchema()
    const store = await open(t, url)
    await store.append([nth(0, 'a')])

    await cluster.sql(url, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
    for (let n = 1; (await store.latest()).seq === 1; n++) await store.append([nth(n, 'a')]).catch(() => wait(20))

    assert.deepEqual(
      store.epochs().map(({ after }) => after),
      [-1, 0, 1],
    )
  })

  it('with a changed value in a report is refused in one line', async () => {
    const url = await cluster.newSchema()
    const store = await openPostgresStore(url, SILENT)
    await store.append([nth(0, 'a')])
    await store.close()
    await cluster.sql(url, `UPDATE content SET text = replace(text, '"drift_count":1', '"drift_count":2')`)

    assert.match(await refusalOf(url), /is damaged \(.*\): restore a backup$/)
  })

  it('that is missing, or has another program’s tables, is refused in one line', async () => {
    const url = await cluster.newSchema()
    assert.match(await refusalOf(url.replace('test_', 'nowhere_')), /has no schema/)
    await cluster.sql(url, 'CREATE TABLE target (name text)')
    assert.match(await refusalOf(url), /relation "target" already exists/)
  })
})

describe('a PostgreSQL that cannot be reached', { skip: NO_POSTGRES }, () => {
  it('stops the start in one line within ten seconds, and never tells the password', async (t) => {
    const mute = createServer((socket) => void socket.resume()).listen(0, '127.0.0.1')
    t.after(() => mute.close())
    await once(mute, 'listening')
    const url = new URL(await cluster.newSchema())
    const { port } = mute.address() as AddressInfo
    const wrong = {
      'an answer that never comes': `postgres://user:hunter2@127.0.0.1:${port}/x`,
      'nobody on the port': 'postgres://user:hunter2@127.0.0.1:1/x?sslpassword=hunter2',
      'no such database': `postgres://postgres:hunter2@${url.host}/nowhere`,
      'no such user': `postgres://nobody:hunter2@${url.host}/postgres`,
      'no such file': `postgres://postgres:hunter2@${url.host}/postgres?sslrootcert=/hunter2/missing.pem`,
    }
    for (const [what, databaseUrl] of Object.entries(wrong)) {
      const begun = performance.now()
      const refusal = await refusalOf(databaseUrl)
      assert.ok(performance.now() - begun < 10_000, what)
      assert.ok(!refusal.includes('\n'), what)
      if (what !== 'no such file') assert.ok(!refusal.includes('hunter2'), refusal)
    }
  })
})

describe('two stores on one PostgreSQL schema', { skip: NO_POSTGRES }, () => {
  it('end with the same records and history however their reports interleave, and tell each change in order', async (t) => {
    const url = await cluster.newSchema()
    const stores = await Promise.all([open(t, url), open(t, url)])
    const seen = stores.map((store) => {
      const seqs: number[] = []
      store.subscribe((changes) => seqs.push(...changes.map(({ seq }) => seq)))
      return seqs
    })
    let n = 0
    let repeated = 0
    let held = nth(n++, 'server-0')
    async function load(store: Store): Promise<void> {
      for (let round = 0; round < 100; round++) {
        const group = Array.from({ length: 5 }, () => nth(n++, `server-${n % 7}`))
        const appended = await store.append([held, ...group]) // one that the other may have sent, too
        repeated += appended.filter(({ duplicateOf }) => duplicateOf !== null).length
        if (round % 25 === 24) await store.remove({ repo: 'rsyslog', server: 'server-3' }, new Date())
        held = group[0] ?? held
      }
    }

    await Promise.all(stores.flatMap((store) => [load(store), load(store)]))

    const [one, other] = await Promise.all(stores.map(everything))
    assert.deepEqual(one, other)
    assert.deepEqual(await everything(await open(t, url)), one)
    assert.ok(repeated > 0)
    for (const seqs of seen) {
      assert.deepEqual(
        seqs,
        [...new Set(seqs)].sort((a, b) => a - b),
      )
      assert.equal(seqs.at(-1), one?.seq)
    }
    const [sum] = await cluster.sql(url, 'SELECT count(*) = count(DISTINCT (target, began_at)) AS once FROM period')
    assert.equal(sum?.once, true)
  })

  it('show each other’s reports and removals at once, and what was known before them', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = [await open(t, url), await open(t, url)]
    const seen: Change[] = []
    other.subscribe((changes) => seen.push(...changes))
    await one.append([nth(0, 'a')])
    await until(() => seen.length === 1, 2_000)

    await one.append([nth(1, 'a'), nth(2, 'a')])
    const ms = await until(() => seen.length > 1, 2_000)
    t.diagnostic(`shown by the other after ${Math.round(ms)} ms`)
    await one.remove({ repo: 'rsyslog', server: 'a' }, new Date())
    await until(() => seen.length === 3, 2_000)

    const [, change, removal] = seen
    assert.ok(change !== undefined && 'received' in change && removal !== undefined && 'removed' in removal)
    assert.deepEqual([change.seq, change.received, change.before?.newest], [3, nth(2, 'a'), nth(0, 'a')])
    assert.deepEqual(removal, { seq: 4, removed: { repo: 'rsyslog', server: 'a' } })
  })

  it('tell of a late finding of each other as of one that is no sign of life', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = [await open(t, url), await open(t, url)]
    const failure = aReceived({ sync_status: 'UNKNOWN', last_check: '2026-04-21T10:32:00Z' }, '2026-04-21T10:32:01Z')
    const late = aReceived({ last_check: '2026-04-21T10:30:00Z' }, '2026-04-21T10:33:00Z')
    const seen: (readonly [boolean, object])[] = []
    const tell = (changes: readonly Change[]) => {
      for (const change of changes) if ('received' in change) seen.push([change.applied, change.received])
    }
    other.subscribe(tell)
    await one.append([failure])
    await until(() => seen.length === 1, 5_000)

    await one.append([late])
    await until(() => seen.length === 2, 5_000)

    assert.deepEqual(seen, [
      [true, failure],
      [false, late],
    ])
  })

  it('take one report that both are sent at once for one', async (t) => {
    const url = await cluster.newSchema()
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(t, url)))
    for (let n = 0; n < 25; n++) {
      const appended = (await Promise.all(stores.map((store) => store.append([nth(n, 'a')])))).flat()
      assert.equal(appended.filter(({ duplicateOf }) => duplicateOf === null).length, 1)
    }
  })

  it('show each other’s reports within two seconds where nothing wakes them, and say so once', async (t) => {
    const url = await cluster.newSchema()
    // Speaks PostgreSQL's language, but for this word.
    const deaf = await aProxy(t, url, (data) =>
      Buffer.from(data.toString('latin1').replaceAll('LISTEN', 'LISTEX'), 'latin1'),
    )
    const said: string[] = []
    const log = { ...SILENT, warn: (_fields: object, words: string) => void said.push(words) }
    const [one, other] = [await open(t, deaf.url, log), await open(t, deaf.url)]

    for (let n = 0; n < 3; n++) {
      await one.append([nth(n, 'a')])
      await until(async () => (await other.latest()).seq === n + 1, 2_000)
    }
    assert.deepEqual(said, ['the database cannot wake us: it is asked every second'])
  })

  it('go on following each other after every connection was ended', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = [await open(t, url), await open(t, url)]
    await one.append([nth(0, 'a')])
    await cluster.sql(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gitops-status-server'`,
    )

    await until(async () => {
      return one.append([nth(1, 'a')]).then(
        () => true,
        () => false,
      )
    }, 2_000)
    await until(async () => (await other.latest()).seq === 2, 2_000)
    await other.append([nth(2, 'a')])
    await until(async () => (await one.latest()).seq === 3, 2_000)
  })

  it('know of each other’s reports up to a moment that stands still while PostgreSQL does', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = [await open(t, url), await open(t, url)]
    const asOf = ({ following }: Store) => following()?.asOf.getTime() ?? Number.NaN
    const begun = Date.now()
    await until(() => asOf(one) > begun && asOf(other) > begun, 5_000) // also while nobody says anything

    await one.append([nth(0, 'a')])
    const written = Date.now()
    await until(() => asOf(other) >= written, 5_000)
    assert.equal((await other.latest()).seq, 1)

    cluster.signal('SIGSTOP')
    t.after(() => cluster.signal('SIGCONT'))
    // What was asked before may still have been answered.
    const stopped = Date.now()
    await until(() => (other.following()?.unconfirmedMs ?? 0) > 2_000, 10_000)
    assert.ok(asOf(other) <= stopped)
    const stoodStillAt = asOf(other)
    await assert.rejects(other.statesAt(new Date()))
    assert.equal(asOf(other), stoodStillAt)

    cluster.signal('SIGCONT')
    const wentOn = Date.now()
    await until(() => asOf(other) >= wentOn, 10_000)
    assert.ok((other.following()?.unconfirmedMs ?? Number.NaN) < 10_000)
  })

  it('take over more than they read at once', async (t) => {
    const url = await cluster.newSchema()
    const [one, other] = [await open(t, url), await open(t, url)]
    await one.append(Array.from({ length: 12_000 }, (_, n) => nth(n % 50, `server-${n}`)))

    await other.append([nth(100, 'server-0')])

    assert.deepEqual((await everything(other)).records, (await everything(one)).records)
    assert.equal((await other.latest()).seq, 12_001)
  })
})

describe('a PostgreSQL store', { skip: NO_POSTGRES }, () => {
  it('remembers all reports of a call or none, and takes the next call', async (t) => {
    const url = await cluster.newSchema()
    const store = await open(t, url)
    const broken = { ...nth(1, 'broken'), arrivedAt: new Date(Number.NaN) } // becomes a NULL in SQL

    await assert.rejects(store.append([nth(0, 'sound'), broken]))

    assert.deepEqual((await store.latest()).records, [])
    const [again] = await store.append([nth(0, 'sound')])
    assert.equal(again?.duplicateOf, null)
    assert.equal((await everything(await open(t, url))).records.length, 1)
  })

  it('is the same after its dump was restored, with every report that was acknowledged before the dump', async (t) => {
    const url = await cluster.newSchema()
    const store = await open(t, url)
    for (let n = 0; n < 20; n++) await store.append([nth(n, `server-${n % 3}`)])
    const before = await everything(store)

    const restored = await open(t, await cluster.restoredCopy(url))

    assert.deepEqual(await everything(restored), before)
    assert.equal((await restored.append([nth(20, 'server-0')]))[0]?.duplicateOf, null)
  })

  it('finds a commit whose answer was lost, and takes the report that is sent again for the same', async (t) => {
    const url = await cluster.newSchema()
    let loses = false
    const proxy = await aProxy(t, url, (data, socket) => {
      if (loses && data.includes('COMMIT')) {
        loses = false
        socket.removeAllListeners('data') // PostgreSQL gets it; what it says to it, nobody does
        setTimeout(() => socket.destroy(), 100)
      }
      return data
    })
    const store = await open(t, proxy.url)
    const seen: number[] = []
    store.subscribe((changes) => seen.push(...changes.map(({ seq }) => seq)))
    await store.append([nth(0, 'a')])

    loses = true
    await assert.rejects(store.append([nth(1, 'a')]), isUnavailable)
    const [again] = await store.append([nth(1, 'a')])

    assert.deepEqual(again?.duplicateOf, nth(1, 'a').arrivedAt)
    assert.deepEqual(seen, [1, 2])
    assert.equal((await store.periods(EVER)).length, 2)
  })

  it('has written it down before it says so, also where synchronous_commit is off', async (t) => {
    const url = `${await cluster.newSchema()}%20-c%20synchronous_commit%3Doff`
    const store = await openPostgresStore(url, SILENT)
    for (let n = 0; n < 20; n++) await store.append([nth(n, 'a')])
    await cluster.kill()
    await store.close()
    await cluster.start()

    assert.equal((await everything(await open(t, url))).periods.length, 20)
  })

  it('looks things up while another one holds the lock, and refuses to write within five seconds until it is free', async (t) => {
    const url = await cluster.newSchema()
    const store = await open(t, url)
    await store.append([nth(0, 'a')])
    const held = cluster.sql(url, 'BEGIN; SELECT seq FROM feed FOR UPDATE; SELECT pg_sleep(4); COMMIT; SELECT 1')
    await until(async () => (await cluster.sql(url, 'SELECT FROM feed FOR UPDATE SKIP LOCKED')).length === 0, 1_000)
    const begun = performance.now()

    const refused = assert.rejects(store.append([nth(1, 'a')]), isUnavailable)
    assert.equal((await store.periods(EVER)).length, 1)
    assert.ok(performance.now() - begun < 1_000)
    await refused
    assert.ok(performance.now() - begun < 5_000)
    await held
    assert.equal((await store.append([nth(1, 'a')]))[0]?.duplicateOf, null)
  })

  it('forgets what was found when nobody refers to it, and nothing that was used lately', async (t) => {
    const url = await cluster.newSchema()
    const store = await open(t, url)
    const contents = async () => (await cluster.sql(url, 'SELECT digest FROM content')).length
    await store.append([nth(0, 'a'), nth(1, 'a'), nth(2, 'a')])
    await store.prune(new Date(START + 3_600_000))
    assert.equal(await contents(), 3)

    await cluster.sql(url, 'UPDATE content SET used_at = used_at - 8000000')
    await store.append([nth(1, 'b')]) // what one of them found is found again
    await store.remove({ repo: 'rsyslog', server: 'b' }, new Date())
    await store.prune(new Date(START + 3_600_000))

    assert.equal(await contents(), 2)
  })

  it('that is closed says that it cannot write', async () => {
    const store = await openPostgresStore(await cluster.newSchema(), SILENT)
    await store.close()
    await assert.rejects(store.append([nth(0, 'a')]), isUnavailable)
  })
})

/** Why the database is refused. */
async function refusalOf(url: string): Promise<string> {
  try {
    await (await openPostgresStore(url, SILENT)).close()
  } catch (error) {
    assert.ok(error instanceof CannotStart, String(error))
    return error.message
  }
  assert.fail('was opened')
}

/** Stands between a store and its database. `pass` sees what the store says, and may say something else in its place. */
async function aProxy(t: TestContext, url: string, pass: (data: Buffer, fromStore: Socket) => Buffer) {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((fromStore) => {
    const toDatabase = connect(Number(target.port), target.hostname)
    for (const socket of [fromStore, toDatabase]) sockets.add(socket.on('error', () => {}))
    let isMute = false
    toDatabase.on('data', (data) => {
      if (!isMute) fromStore.write(data)
    })
    fromStore.on('data', (data) => {
      const said = pass(data, fromStore)
      isMute ||= fromStore.listenerCount('data') === 0
      toDatabase.write(said)
    })
    fromStore.on('close', () => toDatabase.end())
    toDatabase.on('close', () => fromStore.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const proxied = new URL(url)
  proxied.port = String((server.address() as AddressInfo).port)
  return { url: proxied.href }
}
