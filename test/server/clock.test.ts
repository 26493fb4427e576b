import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { aBody } from './a-report.ts'
import { lengthOf } from './long.ts'
import { get, post } from './start-app.ts'
import { type RunningServer, startServer } from './start-server.ts'

const root = mkdtempSync(join(tmpdir(), 'gitops-status-clock-'))
after(() => rmSync(root, { recursive: true, force: true }))

const [libfaketime] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')

const HOUR = 3_600
const TARGETS = 20

function moment(offsetSeconds: number): string {
  return new Date(Date.now() + offsetSeconds * 1_000).toISOString().replace(/\.\d+/, '')
}

/** Reports of all targets whose clocks are right, and how many were applied. */
async function reportAll({ url }: RunningServer, drift: string): Promise<number> {
  const batch = Array.from({ length: TARGETS }, (_, n) =>
    aBody({ server: `server-${n}`, last_check: moment(0), files: [{ name: drift }], run_id: drift }),
  )
  const { status, body } = await post(url, batch)
  assert.equal(status, 200, JSON.stringify(body))
  return body.results.filter(({ applied }: { applied: boolean }) => applied).length
}

async function rows({ url }: RunningServer) {
  return (await get(url, '/status.json')).body.items
}

describe('the clock of the machine', { skip: libfaketime === undefined && 'faketime is not installed' }, () => {
  it('may be set back by two hours and forward by three days while the server runs (R26)', async (t) => {
    const clock = join(root, 'clock')
    writeFileSync(clock, '+0')
    const server = await startServer({
      database: join(root, 'jumps.db'),
      env: {
        LD_PRELOAD: libfaketime,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        FAKETIME_NO_CACHE: '1',
      },
    })
    let stale = 0
    let negative = 0
    let applied = 0
    let n = 0
    for (const jump of [0, -2 * HOUR, 0, 3 * 24 * HOUR, 0, -2 * HOUR]) {
      writeFileSync(clock, `${jump >= 0 ? '+' : ''}${jump}`)
      await wait(1_100) // `last_check` has whole seconds
      for (const look of ['before', 'after']) {
        if (look === 'after') applied += await reportAll(server, `file-${n++}`)
        for (const row of await rows(server)) {
          if (row.stale === 1) stale++
          if (row.age_seconds < 0 || row.contact_age_seconds < 0) negative++
          if (row.contact_age_seconds > 60) assert.fail(`contact ${row.contact_age_seconds} s ago`)
        }
      }
      const { files } = (await get(server.url, '/status.json')).body
      assert.equal(files[0].name, `file-${n - 1}`, 'the newest report is on show')
    }
    await server.end('SIGTERM')

    t.diagnostic(`R26: 6 jumps: ${stale} false STALE, ${negative} negative ages, ${applied} of ${6 * TARGETS} applied`)
    assert.deepEqual({ stale, negative, applied }, { stale: 0, negative: 0, applied: 6 * TARGETS })
    assert.ok(server.lines.some((line) => line.includes('the clock of this machine was set back')))
  })

  it('may go back over a restart: nothing is STALE, and what was known stays on show (R26)', async () => {
    const database = join(root, 'restart.db')
    const env = (offset: string) => ({ LD_PRELOAD: libfaketime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' })
    const ahead = await startServer({ database, env: env('+7200') })
    await reportAll(ahead, 'one')
    await ahead.end('SIGTERM')

    const right = await startServer({ database, env: env('+0') })
    for (const row of await rows(right)) {
      assert.deepEqual([row.stale, row.contact_age_seconds >= 0, row.age_seconds >= 0], [0, true, true])
    }
    await wait(1_100)
    assert.equal(await reportAll(right, 'two'), TARGETS)
    assert.equal((await rows(right))[0].drift_count, 1)
    await right.end('SIGTERM')
  })

  it('after half an hour without a server makes nothing STALE at once (R28)', async (t) => {
    const database = join(root, 'downtime.db')
    const env = (offset: string) => ({ LD_PRELOAD: libfaketime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' })
    const before = await startServer({ database, env: env('-1800') })
    await post(before.url, aBody({ last_check: moment(-1_800) }))
    await before.end('SIGKILL')

    const after = await startServer({ database, env: env('+0') })
    const [row] = await rows(after)
    t.diagnostic(`R28: ${row.stale} STALE after 30 min of downtime, contact ${row.contact_age_seconds} s ago`)
    assert.deepEqual([row.sync_status, row.stale], ['SYNCED', 0])
    assert.ok(row.contact_age_seconds >= 1_795)
    await after.end('SIGTERM')
  })
})

describe('a time zone', () => {
  const ZONES = ['UTC', 'Europe/Riga', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham']
  // Around the hours that the clocks in these zones skip or have twice.
  const TIMES = [
    '2026-03-08T06:59:59Z',
    '2026-03-08T07:00:00Z',
    '2026-03-29T00:59:59Z',
    '2026-03-29T01:00:00Z',
    '2026-04-04T14:00:00Z',
    '2025-10-26T00:30:00Z',
    '2025-10-26T01:30:00+01:00',
    '2025-11-02T01:30:00-04:00',
    '2025-11-02T01:30:00-05:00',
  ]
  const IMPOSSIBLE = [
    '2026-02-30T00:00:00Z',
    '2026-04-21T24:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-04-21T10:30:00',
    '2026-03-29T03:30:00 Europe/Riga',
    '2026-04-21',
  ]
  // What tells when something was asked, and not what was reported.
  const OF_THE_MOMENT = ['generated_at', 'age_seconds', 'contact_age_seconds']

  it('that the server runs in changes no byte of its answers, around every change of the clocks (R27)', async (t) => {
    const answers = new Map<string, string>()
    for (const TZ of ZONES) {
      const server = await startServer({ database: join(root, `${TZ.replace('/', '-')}.db`), env: { TZ } })
      const applied = []
      for (const [n, last_check] of TIMES.entries()) {
        applied.push((await post(server.url, aBody({ server: `at-${n}`, last_check }))).body.applied)
        applied.push((await post(server.url, aBody({ server: 'all', last_check }))).body.applied)
      }
      const refused = []
      for (const last_check of IMPOSSIBLE) refused.push((await post(server.url, aBody({ last_check }))).status)
      const shown = JSON.stringify((await get(server.url, '/status.json')).body, (key, value) =>
        OF_THE_MOMENT.includes(key) ? undefined : value,
      )
      await server.end('SIGKILL')
      answers.set(TZ, JSON.stringify({ applied, refused, shown }))
      assert.deepEqual(new Set(refused), new Set([422]))
    }
    const different = new Set(answers.values()).size
    t.diagnostic(
      `R27: ${ZONES.length} zones, ${TIMES.length} times, ${IMPOSSIBLE.length} impossible ones: ${different} answer`,
    )
    assert.equal(different, 1)
  })
})

describe('a server process that is stopped and goes on', () => {
  it('takes nobody for STALE, although it heard nothing for longer than their grace (R33)', async (t) => {
    const seconds = lengthOf({ gate: 20, long: 60 })
    const server = await startServer({ database: join(root, 'stopped.db') })
    const interval_seconds = 5 // STALE after 12.5 s
    const names = Array.from({ length: TARGETS }, (_, n) => `server-${n}`)
    await post(
      server.url,
      names.map((name) => aBody({ server: name, interval_seconds, last_check: moment(0) })),
    )

    server.process.kill('SIGSTOP')
    await wait(seconds * 1_000)
    server.process.kill('SIGCONT')

    const after = await rows(server)
    const stale = after.filter((row: { stale: number }) => row.stale === 1).length
    t.diagnostic(`R33: stopped for ${seconds} s: ${stale} of ${TARGETS} STALE`)
    assert.equal(stale, 0)
    assert.ok(after[0].contact_age_seconds >= seconds - 1, 'its age is true all the same')
    const reported = names.map((name) => aBody({ server: name, interval_seconds, last_check: moment(0) }))
    assert.equal((await post(server.url, reported)).status, 200)
    await server.end('SIGTERM')
  })
})
