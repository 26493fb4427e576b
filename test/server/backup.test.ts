import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { aBody, aReceived } from './a-report.ts'
import { itTakesLong } from './long.ts'
import { get, post } from './start-app.ts'
import { runServer, startServer } from './start-server.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-backup-'))
after(() => rmSync(root, { recursive: true, force: true }))

const EVER = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1e9, after: null }

function backUp(database: string, copy: string) {
  return runServer(['--database-url', `sqlite:${database}`, '--backup', copy])
}

/** What docs/operate.md says to do after the server was stopped, with the paths of a test. */
function restore(copy: string, database: string): void {
  const steps = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8')
  const [, commands = ''] = /To restore:.*?```sh\n(.*?)```/s.exec(steps) ?? []
  const script = commands
    .replaceAll('/var/lib/gitops-status', dirname(database))
    .replaceAll('/backups/monday.db', copy)
    .replaceAll('gitops-status.db', basename(database))
  execFileSync('sh', ['-eu', '-c', script])
}

describe('a backup (R9)', () => {
  it('taken under load has everything that was acknowledged before it began, and can be restored', async (t) => {
    const database = join(root, 'live.db')
    const copy = join(root, 'copy.db')
    const server = await startServer({ database })
    const acknowledged = new Set<string>()
    let isLoading = true
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let n = 0; isLoading; n++) {
        const name = `${client}-${n}`
        const { status } = await post(
          server.url,
          aBody({ server: `server-${client}`, files: [{ name }], run_id: name }),
        )
        if (status === 200) acknowledged.add(name)
      }
    })
    while (acknowledged.size < 400) await wait(5)

    const before = new Set(acknowledged)
    const { code, stdout, stderr } = await backUp(database, copy)
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.includes(copy))
    const during = acknowledged.size - before.size
    isLoading = false
    await Promise.all(clients)
    await server.end('SIGKILL') // leaves a write-ahead log that must not get into what is restored

    restore(copy, database)
    const restored = await startServer({ database })
    assert.equal((await get(restored.url, '/status.json')).body.target_count, 8)
    assert.equal((await post(restored.url, aBody({ server: 'afterwards' }))).status, 200)
    await restored.end('SIGTERM')

    const store = await openSqliteStore(copy)
    const periods = await store.periods(EVER)
    await store.close()
    const stored = new Set(periods.map(({ newest }) => newest.report.body.run_id))
    const missing = [...before].filter((name) => !stored.has(name))
    t.diagnostic(`R9: ${missing.length} of ${before.size} reports missing; ${during} were taken on meanwhile`)
    assert.deepEqual(missing, [])
    assert.ok(during > 0, 'the server went on')
  })

  it('never overwrites anything, and says why it cannot be taken', async () => {
    const database = join(root, 'other.db')
    await (await openSqliteStore(database)).close()
    const copy = join(root, 'taken.db')
    assert.equal((await backUp(database, copy)).code, 0)
    const taken = readFileSync(copy)

    const again = await backUp(database, copy)
    assert.equal(again.code, 1)
    assert.equal(again.stderr, `The file ${copy} is there already: choose another name\n`)
    assert.deepEqual(readFileSync(copy), taken)

    const nothing = await backUp(join(root, 'nothing.db'), join(root, 'nothing-copy.db'))
    assert.equal(nothing.code, 1)
    assert.match(nothing.stderr, /^The database .*nothing\.db cannot be copied to .*ENOENT.*\n$/)
    const nowhere = await backUp(database, join(root, 'nowhere', 'copy.db'))
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.stderr, /cannot be copied to .*nowhere/)
  })

  itTakesLong('of a gigabyte is restored within a minute', async (t) => {
    const database = join(root, 'large.db')
    const store = await openSqliteStore(database)
    for (let n = 0; n < 200; n++) {
      const reports = Array.from({ length: 100 }, (_, index) =>
        aReceived({
          server: `server-${n}-${index}`,
          files: [{ name: 'a', diff: randomBytes(27_000).toString('hex') }],
        }),
      )
      await store.append(reports)
    }
    await store.close()
    const copy = join(root, 'large-copy.db')

    const backupBegan = performance.now()
    assert.equal((await backUp(database, copy)).code, 0)
    const backupMs = performance.now() - backupBegan
    const began = performance.now()
    restore(copy, database)
    const server = await startServer({ database })
    const ms = performance.now() - began
    await server.end('SIGTERM')

    const gigabytes = statSync(copy).size / 2 ** 30
    const seconds = (value: number) => (value / 1_000).toFixed(1)
    t.diagnostic(
      `R9: ${gigabytes.toFixed(2)} GiB backed up in ${seconds(backupMs)} s, restored and ready in ${seconds(ms)} s`,
    )
    assert.ok(gigabytes >= 1)
    assert.ok(ms < 60_000)
  })
})
