import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openPostgresStore } from '../../src/store/postgres-store.ts'
import { aBody } from './a-report.ts'
import { NO_POSTGRES, type PostgresCluster, startPostgres } from './postgres-cluster.ts'
import { type Answer, get, post } from './start-app.ts'
import { type RunningServer, runServer, startServer } from './start-server.ts'

const STANDS_STILL_MS = process.env.LONG === '1' ? 30_000 : 8_000

let cluster: PostgresCluster
const servers = new Set<RunningServer>()
before(async () => {
  if (!NO_POSTGRES) cluster = await startPostgres()
})
after(async () => {
  for (const { process } of servers) process.kill('SIGKILL') // of a test that failed
  await cluster?.stop()
})

async function start(database: string): Promise<RunningServer> {
  const server = await startServer({ database, args: ['--shutdown-wait', '0'] })
  servers.add(server)
  server.process.once('exit', () => servers.delete(server))
  return server
}

/** An empty database, whose password is asked for nowhere and must be shown nowhere. */
async function aDatabase(): Promise<string> {
  return (await cluster.newSchema()).replace('postgres@', 'postgres:hunter2@')
}

interface Load {
  /** `server last_check` of every report that was acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  /** Every answer that was not 200. */
  readonly refusals: readonly Answer[]
  readonly slowestMs: () => number
  stop(): Promise<void>
}

/** Clients that take one server after the other, and send each report until somebody acknowledges it. */
function load(urls: readonly string[], clients: number): Load {
  const acknowledged = new Set<string>()
  const refusals: Answer[] = []
  let slowestMs = 0
  let turn = 0
  let isOver = false

  async function client(name: string): Promise<void> {
    for (let n = 0; !isOver; n++) {
      const last_check = new Date(Date.parse('2026-04-21T00:00:00Z') + n * 1_000).toISOString().replace('.000', '')
      const body = aBody({ server: name, last_check, files: [{ name: last_check }] })
      while (!isOver) {
        const begun = performance.now()
        const answer = await post(urls[turn++ % urls.length] ?? '', body).catch(() => null) // that server is gone
        if (answer !== null) slowestMs = Math.max(slowestMs, performance.now() - begun)
        if (answer?.status === 200) {
          acknowledged.add(`${name} ${last_check}`)
          break
        }
        if (answer !== null) refusals.push(answer)
        await wait(10)
      }
    }
  }
  const running = Array.from({ length: clients }, (_, index) => client(`server-${index}`))
  return {
    acknowledged,
    refusals,
    slowestMs: () => slowestMs,
    async stop() {
      isOver = true
      await Promise.all(running)
    },
  }
}

async function more({ acknowledged }: Load, count: number): Promise<void> {
  const enough = acknowledged.size + count
  const begun = performance.now()
  while (acknowledged.size < enough) {
    assert.ok(performance.now() - begun < 20_000, `only ${acknowledged.size} of ${enough} reports were acknowledged`)
    await wait(5)
  }
}

/** What was acknowledged and is not in the history, or more than once. They all differ, so each is a period of its own. */
async function lostOrDoubled(database: string, acknowledged: ReadonlySet<string>): Promise<string[]> {
  const store = await openPostgresStore(database, { info() {}, warn() {} })
  const all = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1_000_000, after: null }
  const periods = await store.periods(all)
  await store.close()
  const times = new Map<string, number>()
  for (const { newest, period } of periods) {
    const name = `${newest.report.target.server} ${newest.report.body.last_check}`
    times.set(name, (times.get(name) ?? 0) + period.checks)
  }
  return [...acknowledged].filter((name) => times.get(name) !== 1)
}

async function msUntil(is: () => Promise<boolean>, limitMs: number): Promise<number> {
  const begun = performance.now()
  while (!(await is())) {
    assert.ok(performance.now() - begun < limitMs, `not within ${limitMs} ms`)
    await wait(10)
  }
  return Math.round(performance.now() - begun)
}

async function shows(url: string, server: string): Promise<boolean> {
  return (await get(url, `/status.json?server=${server}`)).body.target_count === 1
}

const isWell = async (url: string) => (await post(url, aBody({ server: 'probe' }))).status === 200

describe('servers on PostgreSQL', { skip: NO_POSTGRES }, () => {
  it('show each other’s reports, and lose nothing when one of two is killed under load', async (t) => {
    const database = await aDatabase()
    const [one, other] = await Promise.all([start(database), start(database)])
    assert.equal((await post(one.url, aBody({ server: 'told-to-one' }))).status, 200)
    const shownMs = await msUntil(() => shows(other.url, 'told-to-one'), 2_000)

    const running = load([one.url, other.url], 8)
    await more(running, 200)
    assert.equal((await post(one.url, aBody({ server: 'last-words' }))).status, 200)
    await one.end('SIGKILL')
    const afterKillMs = await msUntil(() => shows(other.url, 'last-words'), 2_000)
    await more(running, 200)
    await running.stop()

    assert.deepEqual(await lostOrDoubled(database, running.acknowledged), [])
    t.diagnostic(`shown by the other after ${shownMs} ms, after the kill ${afterKillMs} ms`)
    t.diagnostic(`${running.acknowledged.size} acknowledged, 0 lost`)
    assert.equal(await other.end('SIGTERM'), 0)
  })

  it('say 503 while PostgreSQL is gone, go on by themselves when it is back, and lose nothing', async (t) => {
    const database = await aDatabase()
    const server = await start(database)
    const running = load([server.url], 8)
    await more(running, 200)

    await cluster.kill()
    const refusedBefore = running.refusals.length
    await msUntil(async () => running.refusals.length >= refusedBefore + 20, 10_000)
    assert.equal((await get(server.url, '/livez')).status, 200)
    assert.equal((await get(server.url, '/readyz')).status, 503)
    assert.equal((await get(server.url, '/status.json')).body.target_count, 8)
    const past = await get(server.url, '/api/v1/periods')
    assert.deepEqual(
      [past.status, past.headers.get('retry-after'), past.body.title],
      [503, '5', 'The report store cannot be read'],
    )

    await cluster.start()
    const backMs = await msUntil(() => isWell(server.url), 10_000)
    await more(running, 200)
    await running.stop()

    for (const { status, headers, body } of running.refusals) {
      assert.deepEqual([status, headers.get('retry-after')], [503, '5'])
      assert.ok(!JSON.stringify(body).includes('hunter2'))
    }
    assert.deepEqual(await lostOrDoubled(database, running.acknowledged), [])
    assert.ok(server.lines.some((line) => line.includes('"msg":"PostgreSQL cannot be reached"')))
    assert.ok(!server.lines.some((line) => line.includes('hunter2')))
    t.diagnostic(`back ${backMs} ms after PostgreSQL, ${running.acknowledged.size} acknowledged, 0 lost`)
    assert.equal(await server.end('SIGTERM'), 0)
  })

  it('keep nobody waiting for more than five seconds while PostgreSQL stands still, and are well soon after', async (t) => {
    const database = await aDatabase()
    const server = await start(database)
    const running = load([server.url], 8)
    await more(running, 200)

    cluster.signal('SIGSTOP')
    const goesOnAt = performance.now() + STANDS_STILL_MS
    while (performance.now() < goesOnAt) {
      const begun = performance.now()
      const answers = await Promise.all(['/livez', '/status.json'].map((path) => get(server.url, path)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200],
      )
      assert.ok(performance.now() - begun < 1_000)
      await Promise.all(Array.from({ length: 10 }, () => get(server.url, '/readyz')))
      assert.ok(performance.now() - begun < 6_500, 'readyz, on a busy machine')
      await wait(200)
    }
    cluster.signal('SIGCONT')
    const wellMs = await msUntil(() => isWell(server.url), 5_000)
    await msUntil(async () => (await get(server.url, '/readyz')).status === 200, 5_000)
    await more(running, 200)
    await running.stop()

    const slowestMs = Math.round(running.slowestMs())
    t.diagnostic(`the slowest answer after ${slowestMs} ms, well ${wellMs} ms after PostgreSQL went on`)
    assert.ok(slowestMs < 6_000) // five, on a busy machine
    assert.ok(running.refusals.length > 8)
    assert.deepEqual(await lostOrDoubled(database, running.acknowledged), [])
    assert.equal(await server.end('SIGTERM'), 0)
  })

  it('go on when another one stands still while it holds the lock', async () => {
    const database = await aDatabase()
    const [one, other] = await Promise.all([start(database), start(database)])
    const running = load([one.url], 8)
    await more(running, 100)

    one.process.kill('SIGSTOP')
    const ms = await msUntil(() => isWell(other.url), 5_000)
    one.process.kill('SIGCONT')
    await more(running, 100)
    await running.stop()

    assert.ok(ms < 5_000)
    assert.deepEqual(await lostOrDoubled(database, running.acknowledged), [])
    for (const server of [one, other]) assert.equal(await server.end('SIGTERM'), 0)
  })

  it('end with 1 when the database goes back behind what they show', async () => {
    const database = await aDatabase()
    const server = await start(database)
    const exited = once(server.process, 'exit')
    await post(server.url, aBody())

    await cluster.sql(database, 'UPDATE feed SET seq = 0')

    assert.deepEqual(await exited, [1, null])
    assert.ok(server.lines.some((line) => line.includes('went back from change 1 to 0')))
  })

  it('end with 1 when the database went back and has grown past what they show', async () => {
    const database = await aDatabase()
    const server = await start(database)
    const exited = once(server.process, 'exit')
    await post(server.url, aBody())

    // As another server leaves it that began anew from a backup.
    await cluster.sql(database, `DELETE FROM epoch; INSERT INTO epoch VALUES (0, 'theirs'); UPDATE feed SET seq = 9`)

    assert.deepEqual(await exited, [1, null])
    assert.ok(server.lines.some((line) => line.includes('The database is not what it was at change 1')))
  })

  it('are refused a database that is not there in one line without its password', async () => {
    const { code, stderr } = await runServer(['--port', '0'], { DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/x' })

    assert.equal(code, 1)
    assert.match(stderr, /^The database postgres:\/\/127\.0\.0\.1:1\/x cannot be used \(connect ECONNREFUSED.*\n$/)
    assert.ok(!stderr.includes('hunter2'))
  })
})
