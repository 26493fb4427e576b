import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { aReceived } from '../../test/server/a-report.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import { Fault } from '../domain/fault.ts'
import { openTokenStore } from './open-store.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { describeStore } from './store-contract.ts'
import { anEntry, aToken, describeTokenStore } from './token-store-contract.ts'

describeStore('sqlite', async () => openSqliteStore(':memory:'))
describeTokenStore('sqlite', async () => openSqliteStore(':memory:'))

const root = mkdtempSync(join(tmpdir(), 'gitops-status-store-'))
after(() => rmSync(root, { recursive: true, force: true }))
let files = 0

describeStore('sqlite in a file', async () => openSqliteStore(join(root, `contract-${files++}.db`)))

describe('the tokens of an SQLite file', () => {
  it('are those that another process made, while a server goes on writing', async (t) => {
    const path = join(root, 'tokens.db')
    const server = await openSqliteStore(path)
    t.after(() => server.close())
    const beside = await openTokenStore(`sqlite:${path}`, true)
    t.after(() => beside.close())
    const [report] = [aReceived({ last_check: '2026-04-21T10:30:00Z' })]

    await Promise.all([server.append([report]), beside.tokens.put(aToken('a'), anEntry('a'))])

    assert.deepEqual(await server.tokens.list(), [aToken('a')])
    await server.tokens.noteUse([{ id: 'a', at: 7_000 }])
    assert.equal((await beside.tokens.list())[0]?.usedAt, 7_000)
  })

  it('are there before there is a server, which finds them', async (t) => {
    const path = join(root, 'tokens-first.db')
    const first = await openTokenStore(`sqlite:${path}`, true)
    await first.tokens.put(aToken('a'), anEntry('a'))
    await first.close()

    const server = await openSqliteStore(path)
    t.after(() => server.close())
    assert.deepEqual(await server.tokens.list(), [aToken('a')])
  })
})

function secondsPast(n: number) {
  return { last_check: new Date(Date.parse('2026-04-21T10:00:00Z') + n * 1_000).toISOString().replace('.000', '') }
}

function countIn(path: string, sql: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const n = Number(db.prepare(sql).get()?.n)
  db.close()
  return n
}

/** The database of a server that took some reports and was stopped. */
async function aDatabase(name: string): Promise<string> {
  const path = join(root, name)
  const store = await openSqliteStore(path)
  const reports = Array.from({ length: 300 }, (_, index) =>
    aReceived({ server: `server-${index}`, files: [{ name: 'a' }] }),
  )
  await store.append(reports)
  await store.close()
  return path
}

describe('a SQLite file', () => {
  it('has every state again when it is opened again', async () => {
    const path = join(root, 'again.db')
    const drift = aReceived({ files: [{ name: 'rsyslog.conf' }] })
    const failure = aReceived({ sync_status: 'UNKNOWN', last_check: '2026-04-21T10:32:00Z' })
    const other = aReceived({ server: 'other' })
    const first = await openSqliteStore(path)
    await first.append([drift, failure, other])
    await first.touch(new Date('2026-04-21T10:33:00Z'))
    const before = await first.latest()
    await first.close()

    const second = await openSqliteStore(path)

    assert.deepEqual(await second.latest(), before)
    const [again] = await second.append([drift])
    assert.deepEqual(again?.duplicateOf, drift.arrivedAt)
    await second.close()
  })

  it('still has its epochs when it is opened again, and begins another one with its first change', async () => {
    const path = join(root, 'epochs.db')
    const first = await openSqliteStore(path)
    await first.append([aReceived()])
    await first.append([aReceived({ server: 'other' })])
    const before = first.epochs()
    await first.close()

    const second = await openSqliteStore(path)
    assert.deepEqual(second.epochs(), before)
    await second.append([aReceived()]) // a repeated one changes nothing
    assert.deepEqual(second.epochs(), before)
    await second.append([aReceived({ server: 'third' })])
    await second.close()

    const third = await openSqliteStore(path)
    assert.deepEqual(third.epochs(), second.epochs())
    assert.deepEqual(
      third.epochs().map(({ after }) => after),
      [-1, 0, 2],
    )
    await third.close()
  })

  it('and a copy of it that goes on by itself are told apart by their epochs', async () => {
    const path = await aDatabase('original.db')
    copyFileSync(path, join(root, 'copy.db'))
    const epochs = await Promise.all(
      [path, join(root, 'copy.db')].map(async (database) => {
        const store = await openSqliteStore(database)
        await store.append([aReceived({ server: 'one more' })])
        await store.close()
        return store.epochs()
      }),
    )
    const [ours = [], theirs = []] = epochs

    assert.deepEqual(ours.slice(0, -1), theirs.slice(0, -1))
    assert.deepEqual([ours.at(-1)?.after, theirs.at(-1)?.after], [300, 300])
    assert.notEqual(ours.at(-1)?.name, theirs.at(-1)?.name)
  })

  it('keeps the names of its newest thousand epochs', async () => {
    const path = join(root, 'many-epochs.db')
    await (await openSqliteStore(path)).close()
    const db = new DatabaseSync(path)
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1998)
      INSERT INTO epoch SELECT i - 2000, 'e' || i FROM n`)
    db.close()

    const store = await openSqliteStore(path)
    await store.append([aReceived()])
    await store.close()

    const reopened = await openSqliteStore(path)
    assert.equal(reopened.epochs().length, 1_000)
    assert.deepEqual(reopened.epochs().at(-1), store.epochs().at(-1))
    await reopened.close()
  })

  it('forgets what was found long ago in parts, and keeps what a report finds again meanwhile', async () => {
    const path = join(root, 'contents.db')
    const store = await openSqliteStore(path)
    const found = (n: number) => ({ files: [{ name: `file ${n}` }] })
    const COUNT = 5_000
    for (let n = 0; n < COUNT; n++) void store.append([aReceived({ ...found(n), ...secondsPast(n) })])
    await store.append([aReceived(secondsPast(COUNT))])
    const contents = () => countIn(path, 'SELECT count(*) AS n FROM content')
    assert.equal(contents(), COUNT + 1)

    const pruning = store.prune(new Date('2026-04-22T12:00:00Z'))
    const finding = Array.from({ length: 300 }, async (_, n) => {
      await wait(n / 2)
      await store.append([aReceived({ server: `server-${n}`, ...found(n * 16), ...secondsPast(n) })])
    })
    await Promise.all([pruning, ...finding])
    await store.close()

    const reopened = await openSqliteStore(path) // refuses a database in which something is missing
    assert.equal((await reopened.latest()).records.length, 301)
    assert.equal(contents(), 301)
    await reopened.close()
  })

  it('remembers all reports of a call or none, and takes the next call', async () => {
    const path = join(root, 'atomic.db')
    const sound = aReceived()
    const broken = { ...aReceived({ server: 'broken' }), arrivedAt: new Date(Number.NaN) } // becomes a NULL in SQL
    const store = await openSqliteStore(path)

    await assert.rejects(store.append([sound, broken]))

    assert.deepEqual((await store.latest()).records, [])
    const [again] = await store.append([sound])
    assert.equal(again?.duplicateOf, null)
    await store.close()
    const reopened = await openSqliteStore(path)
    assert.equal((await reopened.latest()).records[0]?.record.newest.report.check, sound.report.check)
    await reopened.close()
  })

  it('is refused to a second one, who learns the pid of the first', async () => {
    const path = join(root, 'twice.db')
    const first = await openSqliteStore(path)

    const refusal = await refusalOf(path)
    assert.match(refusal, /in use by another process/)
    if (process.platform === 'linux') assert.match(refusal, new RegExp(`pid ${process.pid}`))
    await first.append([aReceived()])
    await first.close()
  })
})

describe('a SQLite file whose server was killed (R8)', () => {
  /** A database and its log, as a killed server leaves them, and how many reports were stored when the log was so long. */
  async function aKilledDatabase(name: string) {
    const path = join(root, name)
    const store = await openSqliteStore(path)
    const lengths: number[] = []
    for (let n = 0; n < 20; n++) {
      await store.append([aReceived({ server: `server-${n}` })])
      lengths.push(statSync(`${path}-wal`).size)
    }
    const killed = join(root, `killed-${name}`)
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, killed + suffix)
    await store.close()
    return { path: killed, lengths }
  }

  const TEARS: Record<string, (log: string, lengths: readonly number[]) => void> = {
    'cut in the middle of its last frame': (log, lengths) => truncateSync(log, (lengths.at(-1) ?? 0) - 1_000),
    'with noise for its last frame': (log, lengths) =>
      overwrite(log, (lengths.at(-1) ?? 0) - 2_000, randomBytes(2_000)),
    'with zeroes for its last frame': (log, lengths) =>
      overwrite(log, (lengths.at(-1) ?? 0) - 4_120, Buffer.alloc(4_120)),
  }
  for (const [what, tear] of Object.entries(TEARS)) {
    it(`starts with everything but the last report when its log is torn: ${what}`, async () => {
      const { path, lengths } = await aKilledDatabase(`${what.replaceAll(' ', '-')}.db`)
      tear(`${path}-wal`, lengths)

      const store = await openSqliteStore(path)

      assert.equal((await store.latest()).records.length, 19)
      assert.equal((await store.append([aReceived({ server: 'server-19' })]))[0]?.duplicateOf, null)
      await store.close()
      const again = await openSqliteStore(path)
      assert.equal((await again.latest()).records.length, 20)
      await again.close()
    })
  }

  it('starts with every report when the log is whole', async () => {
    const { path } = await aKilledDatabase('whole-log.db')
    const store = await openSqliteStore(path)
    assert.equal((await store.latest()).records.length, 20)
    await store.close()
  })
})

describe('a SQLite file that cannot be trusted (R8)', () => {
  const DAMAGE: Record<string, { readonly harm: (path: string) => void; readonly says: RegExp }> = {
    'a zeroed header': { harm: (path) => overwrite(path, 0, Buffer.alloc(100)), says: /is no database/ },
    'flipped bytes': { harm: flipBytes, says: /is damaged/ },
    'its end cut off': {
      harm: (path) => truncateSync(path, Math.floor(readFileSync(path).length * 0.6)),
      says: /is damaged/,
    },
    'another text in its place': {
      harm: (path) => writeFileSync(path, 'hello\n'.repeat(1_000)),
      says: /is no database/,
    },
    'nothing in it': { harm: (path) => truncateSync(path), says: /is empty/ },
    'a changed byte in its reports': { harm: changeOneValue, says: /is not what was stored/ },
    'a newer schema': {
      harm: (path) => sql(path, 'PRAGMA user_version = 1000'),
      says: /newer gitops-status-server \(schema 1000/,
    },
    'the mark of another program': { harm: (path) => sql(path, 'PRAGMA application_id = 1'), says: /another program/ },
  }
  for (const [what, { harm, says }] of Object.entries(DAMAGE)) {
    it(`with ${what} is refused in one line and left as it is`, async () => {
      const path = await aDatabase(`${what.replaceAll(' ', '-')}.db`)
      harm(path)
      const before = readFileSync(path)

      const refusal = await refusalOf(path)
      assert.match(refusal, says)
      assert.ok(refusal.includes(path))
      assert.match(refusal, /restore a backup|start that version|choose another path/)
      assert.ok(!refusal.includes('\n'))

      assert.deepEqual(readFileSync(path), before)
    })
  }

  it('in a directory that does not exist is not created', async () => {
    assert.match(await refusalOf(join(root, 'nowhere', 'a.db')), /does not exist: create it \(mkdir -p /)
  })

  it('that is a directory is refused', async () => {
    assert.match(await refusalOf(root), /is not a file/)
  })

  it('of another owner is refused with the uid that may not write it', {
    skip: process.getuid?.() !== 0 && 'needs root, to become another user',
  }, async () => {
    const directory = join(root, 'of-root')
    mkdirSync(directory, { mode: 0o755 })
    chmodSync(root, 0o755)
    const path = join(directory, 'a.db')
    await (await openSqliteStore(path)).close()

    // Node's own check asks for the real user, so it is a process that is nobody altogether.
    assert.match(asNobody(path), /cannot be written by uid 65534: give that user the file and its directory/)
  })
})

it('a SQLite store that is closed says that it cannot write', async () => {
  const store = await openSqliteStore(':memory:')
  await store.close()
  await assert.rejects(
    store.append([aReceived()]),
    (error) => error instanceof Fault && error.code === 'store_unavailable',
  )
})

/** Why the file is refused. */
async function refusalOf(path: string): Promise<string> {
  try {
    const store = await openSqliteStore(path)
    await store.close() // or its worker would keep the test from ending
  } catch (error) {
    assert.ok(error instanceof CannotStart)
    return error.message
  }
  assert.fail('was opened')
}

function overwrite(path: string, position: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, position)
  closeSync(file)
}

// Every 97th byte from the second page on: in page headers and cell pointers, not only in values.
function flipBytes(path: string): void {
  const bytes = readFileSync(path)
  for (let at = 4_096; at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
}

function changeOneValue(path: string): void {
  const bytes = readFileSync(path, 'latin1')
  writeFileSync(path, bytes.replaceAll('"drift_count":1', '"drift_count":2'), 'latin1') // SQLite keeps stale copies, too
}

function sql(path: string, text: string): void {
  const db = new DatabaseSync(path)
  db.exec(text)
  db.close()
}

function asNobody(path: string): string {
  // Becomes nobody once everything is loaded: where this project lies may be out of nobody's sight.
  const script = `import { openDatabaseFile } from ${JSON.stringify(new URL('./sqlite-file.ts', import.meta.url))}
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    try { openDatabaseFile(${JSON.stringify(path)}) } catch (error) { console.log(error.message) }`
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
}
