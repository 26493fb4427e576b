import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { aBody } from './a-report.ts'
import { lengthOf, quantile } from './long.ts'
import { get, post } from './start-app.ts'
import { type RunningServer, runServer, startServer } from './start-server.ts'
import { assertWhole } from './stored.ts'
import { attachStrace, hasStrace } from './strace.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-durability-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** The n-th moment of a server's life. */
function moment(n: number): string {
  return new Date(Date.parse('2026-04-21T00:00:00Z') + n * 1_000).toISOString().replace('.000', '')
}

const BEGUN = Date.now()

/** Posts until the server is gone. Calls back with every report that was acknowledged. */
async function load(
  { url }: RunningServer,
  client: number,
  acknowledged: (server: string, last_check: string) => void,
) {
  const server = `server-${client}`
  // Each round goes on above where the one before it ended: a check takes longer than a millisecond.
  for (let n = Date.now() - BEGUN; ; n++) {
    const last_check = moment(n)
    try {
      const { status } = await post(url, aBody({ server, last_check, files: [{ name: last_check }] }))
      if (status === 200) acknowledged(server, last_check)
    } catch {
      return // killed
    }
  }
}

/** Every report that the history has. They all differ, so each is a period of its own. */
async function reportsIn(database: string): Promise<Set<string>> {
  const store = await openSqliteStore(database)
  const all = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1e9, after: null }
  const periods = await store.periods(all)
  await store.close()
  return new Set(periods.map(({ newest: { report } }) => `${report.target.server} ${report.body.last_check}`))
}

/** How many answers there are in a trace, and before how many of them an fsync both began and ended after the request. */
function countAnswers(trace: string) {
  const descriptors = new Map<string, string>() // of the call that a thread is in
  const begunFor = new Map<string, string[]>() // by thread: which connections waited when its fsync began
  const waiting = new Map<string, boolean>() // by connection: is there such an fsync?
  let answers = 0
  let after = 0
  let syncs = 0
  for (const line of trace.split('\n')) {
    // A call during which another thread makes one is written down twice: its beginning and its end.
    const [, thread = '', call, descriptor] = /^(\d+) +(?:(\w+)\((\d+)|<)/.exec(line) ?? []
    if (descriptor !== undefined) descriptors.set(thread, descriptor)
    const connection = descriptors.get(thread) ?? ''
    if (call === 'fsync' || call === 'fdatasync') begunFor.set(thread, [...waiting.keys()])
    if (/(fsync|fdatasync)(\(|\sresumed).*= 0$/.test(line)) {
      syncs++
      for (const one of begunFor.get(thread) ?? []) if (waiting.has(one)) waiting.set(one, true)
    }
    if (line.includes('"POST /api/status')) waiting.set(connection, false)
    if (line.includes('"HTTP/1.1 200 OK')) {
      answers++
      if (waiting.get(connection) === true) after++
      waiting.delete(connection)
    }
  }
  return { answers, after, syncs }
}

describe('durability', () => {
  it('loses no acknowledged report when the server is killed under load, again and again (R1)', async (t) => {
    const database = join(root, 'killed.db')
    const rounds = lengthOf({ gate: 15, long: 50 })
    const least = lengthOf({ gate: 600, long: 50_000 }) / rounds
    const acknowledged = new Set<string>()

    for (let round = 0; round < rounds; round++) {
      const server = await startServer({ database })
      const clients = Array.from({ length: 16 }, (_, client) =>
        load(server, client, (name, last_check) => acknowledged.add(`${name} ${last_check}`)),
      )
      const enough = acknowledged.size + least + round * 3
      while (acknowledged.size < enough) await wait(5)
      await server.end('SIGKILL')
      await Promise.all(clients)
    }

    const server = await startServer({ database })
    assert.equal((await get(server.url, '/status.json')).body.target_count, 16)
    assert.equal((await post(server.url, aBody({ server: 'afterwards' }))).status, 200)
    await server.end('SIGTERM')

    assertWhole(database)
    const stored = await reportsIn(database)
    const missing = [...acknowledged].filter((name) => !stored.has(name))
    t.diagnostic(`R1: killed ${rounds} times: ${missing.length} of ${acknowledged.size} acknowledged reports lost`)
    assert.deepEqual(missing, [])
  })

  it('is ready again at once after it was killed, with 200,000 rows of history (R1)', async (t) => {
    const database = join(root, 'history.db')
    await (await openSqliteStore(database)).close()
    const db = new DatabaseSync(database)
    db.exec(`BEGIN;
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999)
      INSERT INTO period (target, began_at, ended_at, first_check_at, last_check_at, last_arrived_at, checks, gaps, missed, content, check_json)
        SELECT 1 + i % 1000, i * 1000, i * 1000 + 999, i * 1000, i * 1000, i * 1000, 1, 0, 0, 'of a test', '{"last_check":"2026-04-21T10:30:00Z"}' FROM n;
      COMMIT`)
    db.close()
    const first = await startServer({ database })
    const targets = Array.from({ length: 1_000 }, (_, n) => aBody({ server: `server-${n}` }))
    assert.equal((await post(first.url, targets)).status, 200)
    await first.end('SIGKILL')

    const times: number[] = []
    for (let n = 0; n < 2; n++) {
      const began = performance.now()
      const server = await startServer({ database })
      times.push(performance.now() - began)
      assert.equal((await get(server.url, '/status.json')).body.target_count, 1_000)
      await server.end('SIGKILL')
    }
    t.diagnostic(`R1: ready ${(quantile(times, 0.5) / 1_000).toFixed(2)} s after a kill, with 200,000 rows of history`)
    assert.ok(Math.min(...times) < 4_000) // promised: 2 s; others may be busy on this machine
  })

  it('writes each report down to the disk before it says 200 (R2)', {
    skip: !hasStrace && 'strace is not installed',
  }, async (t) => {
    const trace = join(root, 'trace')
    const server = await startServer({ database: join(root, 'traced.db') })
    const calls = 'trace=fsync,fdatasync,read,readv,recvfrom,write,writev,sendto'
    const strace = await attachStrace(server, ['-s', '64', '-o', trace, '-e', calls])
    const send = (n: number) => post(server.url, aBody({ last_check: moment(n), run_id: `run ${n}` }))
    // One after the other, so that the fsync between a request and its answer can only be its own; and 16 at once, of
    // which many share one.
    for (let n = 0; n < 100; n++) assert.equal((await send(n)).status, 200)
    for (let n = 100; n < 200; n += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(n + index)))
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    }
    await strace.detach()
    await server.end('SIGTERM')

    const { answers, after, syncs } = countAnswers(readFileSync(trace, 'utf8'))
    t.diagnostic(`R2: ${after} of ${answers} answers after an fsync of their own; ${syncs} fsyncs`)
    assert.deepEqual([answers, after], [200, 200])
    assert.ok(syncs < 200, 'those at once share them')
  })
})

describe('a server process', () => {
  it('is ready within five seconds, keeps its state over a restart, and ends with 0 when asked to', async () => {
    const database = join(root, 'restart.db')
    const begun = performance.now()
    const first = await startServer({ database })
    assert.ok(performance.now() - begun < 5_000)
    await post(first.url, aBody({ files: [{ name: 'rsyslog.conf' }] }))
    assert.equal(await first.end('SIGTERM'), 0)

    const second = await startServer({ database })
    const { body } = await get(second.url, '/status.json')
    assert.equal(body.sync_status, 'OUT_OF_SYNC')
    assert.deepEqual(body.files, [{ name: 'rsyslog.conf' }])
    assert.equal(await second.end('SIGINT'), 0)
  })

  it('answers everything that was in flight when it is told to stop, within five seconds', async () => {
    const database = join(root, 'drained.db')
    const server = await startServer({ database })
    const answers = Array.from({ length: 200 }, (_, n) => post(server.url, aBody({ server: `server-${n}` })))
    await Promise.race(answers) // the first is answered, so the others are on their way
    const begun = performance.now()

    const ended = server.end('SIGTERM')

    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.equal(await ended, 0)
    assert.ok(performance.now() - begun < 5_000)

    const again = await startServer({ database })
    assert.equal((await get(again.url, '/status.json')).body.target_count, 200)
    await again.end('SIGTERM')
  })

  it('says that it is not ready as soon as it is told to stop, and takes reports until it is gone', async () => {
    const server = await startServer({ database: join(root, 'unready.db') })
    const ended = server.end('SIGTERM')
    while (!server.lines.some((line) => line.includes('"msg":"stopping"'))) {
      assert.equal(server.process.signalCode, null, 'it was ended by the signal itself')
      await wait(5)
    }

    assert.equal((await get(server.url, '/readyz')).status, 503)
    assert.equal((await get(server.url, '/livez')).status, 200)
    assert.equal((await post(server.url, aBody())).status, 200)
    assert.equal(await ended, 0)
  })

  it('is refused a database that another one has, at once and with its pid', async () => {
    const database = join(root, 'shared.db')
    const first = await startServer({ database })
    const begun = performance.now()

    const second = await runServer(['--port', '0', '--database-url', `sqlite:${database}`])

    assert.equal(second.code, 1)
    assert.ok(performance.now() - begun < 4_000) // 0.5 s; others may be busy on this machine
    assert.match(second.stderr, new RegExp(`in use by another process \\(pid ${first.process.pid}\\)`))
    assert.equal(second.stderr.trim().split('\n').length, 1)
    assert.equal((await post(first.url, aBody())).status, 200)
    await first.end('SIGTERM')
  })

  it('says in one line that its port is taken', async () => {
    const first = await startServer({ database: join(root, 'port.db') })
    const { port } = new URL(first.url)

    const second = await runServer(['--port', port, '--database-url', `sqlite:${join(root, 'port2.db')}`])

    assert.equal(second.code, 1)
    assert.match(second.stderr, new RegExp(`^Cannot listen on 127.0.0.1 port ${port}: another program uses it.*\n$`))
    await first.end('SIGTERM')
  })

  it('names every wrong setting at once and ends with 64', async () => {
    const { code, stderr } = await runServer(['--port', 'http', '--hots', '::1'], { GITOPS_STATUS_LOG_LEVEL: 'loud' })

    assert.equal(code, 64)
    assert.match(stderr, /--port: must be a whole number/)
    assert.match(stderr, /--hots: is not an option: did you mean --host\?/)
    assert.match(stderr, /GITOPS_STATUS_LOG_LEVEL: must be one of/)
  })
})
