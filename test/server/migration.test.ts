import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { MIGRATIONS } from '../../src/store/sqlite-schema.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { runServer } from './start-server.ts'
import { assertWhole } from './stored.ts'
import { hasStrace } from './strace.ts'

// A database of every schema that was ever released, written by the server of then, and what that server knew. They
// are kept for ever: whoever skips ten versions must find everything again.
const FIXTURES = new URL('../fixtures/', import.meta.url)

interface Fixture {
  readonly reports: number
  readonly latest: readonly unknown[]
}

const root = mkdtempSync(join(tmpdir(), 'gitops-status-migration-'))
after(() => rmSync(root, { recursive: true, force: true }))

const RELEASED = Array.from({ length: MIGRATIONS.length - 1 }, (_, index) => index + 1)

function aCopyOf(schema: number, name: string): { readonly database: string; readonly fixture: Fixture } {
  const database = join(root, name)
  copyFileSync(new URL(`schema-${schema}.db`, FIXTURES), database)
  return { database, fixture: JSON.parse(readFileSync(new URL(`schema-${schema}.json`, FIXTURES), 'utf8')) }
}

function query(database: string, sql: string): unknown {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    return Object.values(db.prepare(sql).get() ?? {})[0]
  } finally {
    db.close()
  }
}

/** Every report is counted in a period, or is kept as one that came late. */
const REPORTS = `SELECT (SELECT sum(checks) FROM contact) + (SELECT coalesce(sum(checks), 0) FROM period)
  + (SELECT count(*) FROM late_report)`

async function assertMigrated(database: string, { reports, latest }: Fixture): Promise<void> {
  const store = await openSqliteStore(database)
  const { records } = await store.latest()
  await store.close()
  const known = records
    .map(({ record: { newest, lastKnown } }) => ({
      newest: newest.report.body,
      arrivedAt: newest.arrivedAt.toISOString(),
      lastKnown: lastKnown?.report.body ?? null,
    }))
    .sort((a, b) => (a.newest.server < b.newest.server ? -1 : 1))
  assert.deepEqual(known, latest)
  assert.equal(query(database, REPORTS), reports)
}

describe('a database of an older version (R10)', () => {
  it('is there for every schema that was released', () => {
    for (const schema of RELEASED) assert.ok(existsSync(new URL(`schema-${schema}.db`, FIXTURES)), `schema ${schema}`)
  })

  for (const schema of RELEASED) {
    it(`of schema ${schema} has every target and every report afterwards, and a copy beside it`, async (t) => {
      const { database, fixture } = aCopyOf(schema, `whole-${schema}.db`)

      await assertMigrated(database, fixture)

      assert.equal(query(database, 'PRAGMA user_version'), MIGRATIONS.length)
      assert.equal(query(`${database}.schema-${schema}`, 'PRAGMA user_version'), schema)
      assert.equal(query(`${database}.schema-${schema}`, 'PRAGMA integrity_check'), 'ok')
      await assertMigrated(database, fixture)
      t.diagnostic(
        `R10: schema ${schema} to ${MIGRATIONS.length}: ${fixture.reports} of ${fixture.reports} reports, ${fixture.latest.length} targets equal`,
      )
    })

    it(`of schema ${schema} has one of the schemas, whole, when the server is killed in between`, {
      skip: !hasStrace && 'strace is not installed',
    }, async (t) => {
      const open = (database: string, options: readonly string[]) => {
        const script = `import { openDatabaseFile } from ${JSON.stringify(new URL('../../src/store/sqlite-file.ts', import.meta.url))}
          openDatabaseFile(${JSON.stringify(database)}).close()`
        const node = [process.execPath, '--input-type=module', '-e', script]
        return spawnSync('strace', ['-f', '--seccomp-bpf', ...options, ...node])
      }
      const calls = ['pwrite64', 'fsync']
      const whole = aCopyOf(schema, `traced-${schema}.db`)
      const trace = join(root, 'trace')
      open(whole.database, ['-o', trace, '-e', `trace=${calls}`])
      const made = readFileSync(trace, 'utf8')
      const moments = calls.flatMap((call) => {
        const count = made.split(`${call}(`).length - 1
        return Array.from({ length: 5 }, (_, n) => `${call}:signal=SIGKILL:when=${Math.ceil(((n + 1) * count) / 5.5)}`)
      })

      const versions: unknown[] = []
      for (const [n, moment] of moments.entries()) {
        const { database, fixture } = aCopyOf(schema, `killed-${schema}-${n}.db`)
        open(database, ['-o', '/dev/null', '-e', `inject=${moment}`])
        const version = query(database, 'PRAGMA user_version')
        versions.push(version)
        if (version === MIGRATIONS.length) assertWhole(database)
        else assert.ok(Number(version) >= schema && Number(version) < MIGRATIONS.length, moment)
        await assertMigrated(database, fixture)
        assert.equal(query(`${database}.schema-${schema}`, 'PRAGMA integrity_check'), 'ok')
      }
      t.diagnostic(`R10: killed at ${moments.length} moments of the migration, found schema ${versions.join(' ')}`)
      assert.ok(versions.includes(schema) && versions.includes(MIGRATIONS.length), 'before and after')
    })
  }

  it('that is newer than the server stops it, with a text that says what to start instead', async () => {
    const { database } = aCopyOf(1, 'newer.db')
    const db = new DatabaseSync(database)
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
    db.close()
    const before = readFileSync(database)

    const { code, stderr } = await runServer(['--port', '0', '--database-url', `sqlite:${database}`])

    assert.equal(code, 1)
    assert.match(stderr, /was written by a newer gitops-status-server .*: start that version or a newer one\n$/)
    assert.deepEqual(readFileSync(database), before)
  })
})
