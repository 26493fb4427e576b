import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { aBody } from './a-report.ts'
import { get, post } from './start-app.ts'
import { type RunningServer, runServer, startServer } from './start-server.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-durability-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** The n-th moment of a server's life. */
function moment(n: number): string {
  return new Date(Date.parse('2026-04-21T00:00:00Z') + n * 1_000).toISOString().replace('.000', '')
}

/** Posts until the server is gone. Calls back with every report that was acknowledged. */
async function load(
  { url }: RunningServer,
  client: number,
  acknowledged: (server: string, last_check: string) => void,
) {
  const server = `server-${client}`
  for (let n = Date.now() % 1_000_000; ; n++) {
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

describe('durability', () => {
  it('loses no acknowledged report when the server is killed under load, 20 times', async () => {
    const database = join(root, 'killed.db')
    const acknowledged = new Set<string>()

    for (let round = 0; round < 20; round++) {
      const server = await startServer({ database })
      const clients = Array.from({ length: 16 }, (_, client) =>
        load(server, client, (name, last_check) => acknowledged.add(`${name} ${last_check}`)),
      )
      const enough = acknowledged.size + 40 + round * 3
      while (acknowledged.size < enough) await wait(5)
      await server.end('SIGKILL')
      await Promise.all(clients)
    }

    const server = await startServer({ database })
    assert.equal((await get(server.url, '/status.json')).body.target_count, 16)
    await server.end('SIGTERM')

    const stored = await reportsIn(database)
    const missing = [...acknowledged].filter((name) => !stored.has(name))
    assert.deepEqual(missing, [])
  })

  const strace = spawnSync('strace', ['-V']).status === 0
  it('writes each report down to the disk before it says 200', {
    skip: !strace && 'strace is not installed',
  }, async () => {
    const trace = join(root, 'trace')
    // -D: the server is our child and gets our signals, strace is not in between.
    const calls = 'trace=fsync,fdatasync,read,readv,recvfrom,write,writev,sendto'
    const under = ['strace', '-D', '-f', '-s', '32', '-o', trace, '-e', calls]
    const server = await startServer({ database: join(root, 'traced.db'), under })
    // One after the other, so that the fsync between a request and its answer can only be its own.
    for (let n = 0; n < 50; n++) assert.equal((await post(server.url, aBody({ last_check: moment(n) }))).status, 200)
    await server.end('SIGTERM')
    while (!/exited with 0 [+]{3}\n$/.test(readFileSync(trace, 'utf8'))) await wait(20)

    let synced = false
    let answers = 0
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      if (line.includes('"POST /api/status')) synced = false
      // A call during which another thread makes one is written down twice; its end counts.
      if (/(fsync|fdatasync)(\(|\sresumed).*= 0$/.test(line)) synced = true
      if (line.includes('"HTTP/1.1 200 OK')) {
        assert.ok(synced, `answer ${answers} came before its fsync`)
        answers++
      }
    }
    assert.equal(answers, 50)
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
