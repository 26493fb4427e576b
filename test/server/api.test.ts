import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { startFleet } from './a-fleet.ts'
import { aBody } from './a-report.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

/** Others parse these answers: a change of one is looked at. `UPDATE_GOLDEN=1` rewrites the file. */
function assertGolden(name: string, text: string): void {
  const file = new URL(`../golden/api/${name}`, import.meta.url)
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, text)
  }
  assert.equal(text, readFileSync(file, 'utf8'))
}

/** Asks as Grafana's Infinity does, which prefers text/plain. */
async function ask(url: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, {
    headers: { accept: 'application/json;q=0.9,text/plain', 'accept-encoding': 'gzip', ...headers },
  })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    saveAs: response.headers.get('content-disposition'),
    text: await response.text(),
  }
}

const AT = 'at=2026-04-21T09:45:00Z'
const SPAN = 'from=2026-04-21T08:55:00.000Z&to=2026-04-21T10:30:00.000Z'

const ROW_LISTS: Record<string, string> = {
  status: '/api/v1/status',
  'status-then': `/api/v1/status?${AT}`,
  files: '/api/v1/files',
  'files-then': `/api/v1/files?${AT}`,
  history: `/api/v1/history?${SPAN}&step=15m`,
  totals: `/api/v1/totals?${SPAN}&step=15m`,
  transitions: `/api/v1/transitions?${SPAN}`,
  repos: '/api/v1/repos',
  servers: '/api/v1/servers',
}

describe('a list of rows', () => {
  let app: AppUnderTest
  let empty: AppUnderTest
  before(async () => {
    app = await startFleet()
    empty = await startTestApp()
  })
  after(async () => {
    await app.stop()
    await empty.stop()
  })

  for (const [name, path] of Object.entries(ROW_LISTS)) {
    const csvPath = `${path}${path.includes('?') ? '&' : '?'}format=csv`

    it(`of ${name} looks like its golden file`, async () => {
      const { text } = await ask(app.url, path)
      assertGolden(
        `${name}.json`,
        `[\n${JSON.parse(text)
          .map((row: unknown) => `  ${JSON.stringify(row)}`)
          .join(',\n')}\n]\n`,
      )
    })

    it(`of ${name} as CSV looks like its golden file`, async () => {
      const { status, type, saveAs, text } = await ask(app.url, csvPath)
      assert.deepEqual([status, type], [200, 'text/csv; charset=utf-8'])
      const [, list] = /^[/]api[/]v1[/](\w+)/.exec(csvPath) ?? []
      assert.equal(saveAs, `attachment; filename="gitops-status-${list}.csv"`)
      assertGolden(`${name}.csv`, text)
    })

    it(`of ${name} is JSON with the same keys and one type for each in all rows, as Infinity needs it`, async () => {
      const { status, type, text } = await ask(app.url, path)
      assert.deepEqual([status, type], [200, 'application/json; charset=utf-8'])
      const rows: Record<string, unknown>[] = JSON.parse(text)
      assert.ok(rows.length > 1)
      const types = new Map<string, string>()
      for (const row of rows) {
        assert.deepEqual(Object.keys(row), Object.keys(rows[0] ?? {}))
        for (const [key, value] of Object.entries(row)) {
          if (value === null) continue
          assert.ok(typeof value === 'string' || typeof value === 'number', `${key} is flat`)
          assert.equal(typeof value, types.get(key) ?? typeof value, key)
          types.set(key, typeof value)
        }
      }
    })

    it(`of ${name} with nothing in it is an empty list, and a head row in CSV`, async () => {
      assert.deepEqual(await ask(empty.url, path.replace(/(?<=[?&])(at|from|to)=[^&]*/g, '')), {
        status: 200,
        type: 'application/json; charset=utf-8',
        saveAs: null,
        text: '[]',
      })
      const rows = JSON.parse((await ask(app.url, path)).text)
      const csv = (await ask(empty.url, csvPath.replace(/(?<=[?&])(at|from|to)=[^&]*/g, ''))).text
      assert.equal(csv, `${Object.keys(rows[0]).join(',')}\r\n`)
    })

    it(`of ${name} ends where it is told to`, async () => {
      const { text } = await ask(app.url, `${path}${path.includes('?') ? '&' : '?'}limit=1`)
      assert.equal(JSON.parse(text).length, 1)
    })
  }

  it('is narrowed like /status.json', async () => {
    const namesOf = async (path: string) =>
      JSON.parse((await ask(app.url, path)).text).map(
        (row: { server?: string; name?: string }) => row.server ?? row.name,
      )
    assert.deepEqual(await namesOf('/api/v1/status?server=clean,silent&repo=*'), ['silent', 'clean'])
    assert.deepEqual(await namesOf('/api/v1/status?status=OUT_OF_SYNC&repo=rsyslog'), ['drifted'])
    assert.deepEqual(await namesOf(`/api/v1/status?status=OUT_OF_SYNC&${AT}&repo=rsyslog`), [])
    assert.deepEqual(await namesOf('/api/v1/status?server={clean,failed}'), ['failed', 'clean'])
    assert.deepEqual(await namesOf('/api/v1/servers?repo=owner/web'), ['drifted'])
    assert.deepEqual(await namesOf('/api/v1/status?server=no-such'), [])
    const silent = await namesOf(`/api/v1/history?${SPAN}&step=1h&server=silent,clean&status=UNKNOWN`)
    assert.deepEqual([...new Set(silent)], ['silent'])
  })

  it('of the history has the same ascending times for all targets, and a number that a drift between them is not lost in', async () => {
    const rows: { time: string; server: string; status_code: number }[] = JSON.parse(
      (await ask(app.url, `/api/v1/history?${SPAN}&step=3600&repo=rsyslog`)).text,
    )
    const times = [...new Set(rows.map(({ time }) => time))]
    assert.deepEqual(times, ['2026-04-21T09:00:00Z', '2026-04-21T10:00:00Z'])
    assert.deepEqual(
      rows.map(({ time }) => time),
      rows.map(({ time }) => time).toSorted(),
    )
    const drifted = rows.filter(({ server }) => server === 'drifted').map(({ status_code }) => status_code)
    assert.deepEqual(drifted, [1, 1], 'no row before its first report, and OUT_OF_SYNC for a part of an hour')
  })

  it('of totals counts what the history says', async () => {
    const asked = `${SPAN}&step=15m`
    const history: { time: string; status_code: number; drift_count: number }[] = JSON.parse(
      (await ask(app.url, `/api/v1/history?${asked}`)).text,
    )
    const totals: { time: string }[] = JSON.parse((await ask(app.url, `/api/v1/totals?${asked}`)).text)
    for (const { time, ...counted } of totals) {
      const rows = history.filter((row) => row.time === time)
      const withCode = (code: number) => rows.filter(({ status_code }) => status_code === code).length
      assert.deepEqual(counted, {
        targets: rows.length,
        out_of_sync: withCode(1),
        unknown: withCode(2),
        synced: withCode(0),
        drift_count: rows.reduce((sum, { drift_count }) => sum + drift_count, 0),
      })
    }
    const times = new Set(totals.map(({ time }) => time))
    assert.ok(history.length > 0 && history.every(({ time }) => times.has(time)))
  })

  it('of the history is about the last day, takes milliseconds, and keeps its times when it is asked again', async () => {
    const lastDay = JSON.parse((await ask(app.url, '/api/v1/history?server=clean')).text)
    const { from, to } = { from: Date.parse('2026-04-20T10:30:00Z'), to: Date.parse('2026-04-21T10:30:00Z') }
    assert.deepEqual(
      JSON.parse((await ask(app.url, `/api/v1/history?server=clean&from=${from}&to=${to}`)).text),
      lastDay,
    )
    const later = JSON.parse((await ask(app.url, `/api/v1/history?server=clean&from=${from + 61_000}&to=${to}`)).text)
    assert.deepEqual(later, lastDay)
  })

  it('of the history never has more times than it is asked for, whatever the step', async () => {
    for (const maxPoints of [1, 2, 3, 7, 100]) {
      const path = `/api/v1/history?${SPAN}&step=1s&max_points=${maxPoints}&server=clean`
      const rows = JSON.parse((await ask(app.url, path)).text)
      assert.ok(rows.length > 0 && rows.length <= maxPoints, `${rows.length} of ${maxPoints}`)
    }
  })

  const REFUSED: [string, string][] = [
    ['/api/v1/status?limit=0', 'limit'],
    ['/api/v1/status?limit=many', 'limit'],
    ['/api/v1/status?limit=1&limit=2', 'limit'],
    ['/api/v1/status?format=xml', 'format'],
    ['/api/v1/status?status=BROKEN', 'status'],
    ['/api/v1/status?at=yesterday', 'at'],
    ['/api/v1/status?at=2026-04-21T10:30:00', 'at'],
    ['/api/v1/status?at=2026-04-21T10:36:00Z', 'at'],
    ['/status.json?at=2099-01-01T00:00:00Z', 'at'],
    ['/api/v1/history?from=2026-02-30T00:00:00Z', 'from'],
    ['/api/v1/history?from=2026-04-21T10:00:00Z&to=2026-04-21T09:00:00Z', 'from'],
    ['/api/v1/history?from=2026-04-21T10:36:00Z', 'from'],
    ['/api/v1/transitions?from=1776769000', 'from'],
    ['/api/v1/periods?from=2099-01-01T00:00:00Z&to=2099-02-01T00:00:00Z', 'from'],
    ['/api/v1/history?step=0', 'step'],
    ['/api/v1/history?step=fast', 'step'],
    ['/api/v1/history?max_points=0', 'max_points'],
    ['/api/v1/targets?cursor=AAAA', 'cursor'],
    ['/api/v1/targets?cursor=WzEsMl0', 'cursor'],
    ['/api/v1/periods?cursor=WyJhIiwiYiJd', 'cursor'],
    ['/api/v1/episodes?limit=1001', 'limit'],
  ]
  for (const [path, field] of REFUSED) {
    it(`is refused for ${path}, naming ${field}`, async () => {
      const { status, body } = await get(app.url, path)
      assert.equal(status, 400)
      assert.deepEqual(
        body.errors.map((problem: { field: string }) => problem.field),
        [field],
      )
    })
  }

  it('is refused with every bad parameter at once', async () => {
    const { body } = await get(app.url, '/api/v1/history?from=x&to=y&step=z&max_points=-1&status=a&limit=b')
    assert.deepEqual(body.errors.map((problem: { field: string }) => problem.field).toSorted(), [
      'from',
      'limit',
      'max_points',
      'status',
      'step',
      'to',
    ])
  })

  it('narrows by cause: of targets by theirs, of files by the one that each has', async () => {
    const servers = async (path: string) =>
      (await get(app.url, path)).body.map(({ server }: { server: string }) => server)
    assert.deepEqual(await servers('/api/v1/status?cause=BOTH'), ['drifted'])
    assert.deepEqual(await servers('/api/v1/status?cause=SERVER_CHANGED,SAME_EDIT'), [])
    assert.deepEqual(await servers(`/api/v1/status?cause=BOTH&${AT}`), ['drifted'])
    assert.deepEqual(await servers('/api/v1/status?cause=BOTH&status=SYNCED'), [])
    const names = async (path: string) => (await get(app.url, path)).body.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names('/api/v1/files?cause=PENDING_DEPLOY'), ['rsyslog.d/30-lab.conf'])
    assert.deepEqual(await names(`/api/v1/files?cause=PENDING_DEPLOY&${AT}`), ['rsyslog.d/30-lab.conf'])
    assert.equal((await get(app.url, '/status.json?cause=BOTH')).body.target_count, 1)
    assert.equal((await ask(app.url, '/api/v1/status?cause=GREMLINS')).status, 400)
  })

  it('holds no formula as CSV, whichever text of a report begins like one', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const hostile = ['=1', '+1', '-1', '@1', '\t=1', '\r=1', 'a;=1'].map((text, n) => ({ text, server: `s-${n}` }))
    await post(
      app.url,
      hostile.map(({ server, text }) =>
        aBody({
          ...{ server, revision: { commit: text, branch: text }, run_id: text },
          files: [{ name: text, path: text, modified_by: text, modified_at: '2026-04-21T10:30:00Z' }],
        }),
      ),
    )
    app.advance(60)
    const last_check = '2026-04-21T10:31:00Z'
    const failures = hostile.map(({ server, text: message }) => ({ server, error: { code: 'x', message }, last_check }))
    await post(
      app.url,
      failures.map((failure) => aBody({ ...failure, sync_status: 'UNKNOWN' })),
    )
    for (const path of Object.values(ROW_LISTS)) {
      const now = path.replace(/[?&](at|from|to)=[^&]*/g, '').replace(/^([^?&]*)&/, '$1?')
      const { status, text } = await ask(app.url, `${now}${now.includes('?') ? '&' : '?'}format=csv`)
      assert.equal(status, 200, now)
      assert.doesNotMatch(text, /(^|[,;\r\n])["\s]*[=+\-@]/, now)
    }
  })

  it('narrows by who changed a file, also where a row has no room for the name', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const files = ['ann', 'bob', 'cat', 'dan, of ops'].map((modified_by, n) => ({ name: `file-${n}`, modified_by }))
    await post(app.url, [aBody({ server: 'many', files }), aBody({ server: 'fine' })])
    app.advance(60)
    const then = 'at=2026-04-21T10:30:30Z'
    const rows = async (path: string) => (await get(app.url, path)).body
    const [row] = await rows('/api/v1/status')
    assert.equal(row.modified_by, 'ann, bob, cat and 1 more')
    for (const name of ['dan, of ops', 'ann']) {
      const by = new URLSearchParams({ modified_by: name })
      for (const path of [`/api/v1/status?${by}`, `/api/v1/status?${by}&${then}`, `/api/v1/targets?${by}`]) {
        const answer = await rows(path)
        assert.deepEqual(
          (answer.items ?? answer).map(({ server }: { server: string }) => server),
          ['many'],
          path,
        )
      }
      for (const path of [`/api/v1/files?${by}`, `/api/v1/files?${by}&${then}`]) {
        assert.deepEqual(
          (await rows(path)).map((file: { modified_by: string }) => file.modified_by),
          [name],
          path,
        )
      }
    }
    assert.deepEqual(await rows('/api/v1/status?modified_by=da'), [])
    assert.equal((await rows('/status.json?modified_by=bob')).target_count, 1)
  })

  it('leaves parameters of others alone', async () => {
    assert.equal((await ask(app.url, '/api/v1/status?_=1713695400&orgId=1&__proto__=x&constructor=y')).status, 200)
  })
})

describe('the past', () => {
  it('is answered at /status.json with the moment that was asked for', async () => {
    const app = await startFleet()
    const { body } = await get(app.url, `/status.json?server=drifted&repo=rsyslog&${AT}`)
    const { items, ...rest } = body
    assert.deepEqual(rest, {
      repo: 'rsyslog',
      server: 'drifted',
      sync_status: 'UNKNOWN',
      drift_count: 2,
      files: [
        {
          ...{ name: 'rsyslog.conf', change: 'modified', cause: 'SERVER_CHANGED' },
          ...{ modified_at: '2026-04-21T09:17:03Z', modified_by: 'root' },
        },
        {
          ...{ name: 'rsyslog.d/30-lab.conf', path: '/etc/rsyslog.d/30-lab.conf' },
          ...{ change: 'missing', cause: 'PENDING_DEPLOY' },
        },
      ],
      last_check: '2026-04-21T09:30:00Z',
      reason: 'stale',
      freshness: 'STALE',
      age_seconds: 900,
      contact_age_seconds: 900,
      last_known: {
        sync_status: 'OUT_OF_SYNC',
        drift_count: 2,
        files: rest.files,
        last_check: '2026-04-21T09:30:00Z',
      },
      error: null,
      files_truncated: false,
      target_count: 1,
      items_truncated: false,
      generated_at: '2026-04-21T09:45:00Z',
    })
    assert.equal(items.length, 1)
    await app.stop()
  })

  it('of before everything is nothing yet', async () => {
    const app = await startFleet()
    const { body } = await get(app.url, '/status.json?at=2020-01-01T00:00:00Z')
    assert.deepEqual([body.sync_status, body.reason, body.items], ['UNKNOWN', 'never_reported', []])
    assert.deepEqual((await get(app.url, '/api/v1/files?at=0')).body, [])
    await app.stop()
  })

  it('says null, not a guess, of what is not known inside a long period', async () => {
    const app = await startTestApp({ at: '2026-04-21T10:00:00Z' })
    for (const minute of ['00', '02', '04', '06']) {
      await post(app.url, aBody({ last_check: `2026-04-21T10:${minute}:00Z`, revision: { commit: minute } }))
      app.advance(120)
    }
    const [inside] = (await get(app.url, '/api/v1/status?at=2026-04-21T10:03:00Z')).body
    assert.deepEqual(
      [inside.sync_status, inside.last_check, inside.age_seconds, inside.freshness, inside.revision, inside.checks],
      ['SYNCED', null, null, null, null, null],
    )
    const [afterwards] = (await get(app.url, '/api/v1/status?at=2026-04-21T10:07:00Z')).body
    assert.deepEqual(
      [afterwards.last_check, afterwards.age_seconds, afterwards.freshness, afterwards.revision, afterwards.checks],
      ['2026-04-21T10:06:00Z', 60, 'FRESH', '06', 4],
    )
    const rolledUp = (await get(app.url, '/status.json?at=2026-04-21T10:03:00Z')).body
    assert.deepEqual([rolledUp.sync_status, rolledUp.last_check, rolledUp.freshness], ['SYNCED', null, null])
    await app.stop()
  })

  it('does not say from what the first status that is kept became so', async () => {
    const app = await startTestApp({ retentionMs: 3_600_000 })
    await post(app.url, aBody({ last_check: '2026-04-21T10:29:58Z', files: [{ name: 'a' }] }))
    await post(app.url, aBody({ last_check: '2026-04-21T10:29:59Z', files: [{ name: 'b' }] }))
    const froms = async () =>
      (await get(app.url, '/api/v1/transitions?from=2026-04-20T10:00:00Z')).body.map((row: Record<string, unknown>) => [
        row.from_status,
        row.from_code,
        row.to_status,
      ])
    assert.deepEqual(await froms(), [[null, null, 'OUT_OF_SYNC']])

    app.advance(120)
    await post(app.url, aBody({ last_check: '2026-04-21T10:31:00Z' }))
    app.advance(7_200)
    while (!app.log.some(({ msg }) => msg === 'history pruned')) {
      app.advance(15)
      await setImmediate()
    }
    assert.deepEqual((await froms())[0], [null, null, 'SYNCED'])
    await app.stop()
  })

  it('ends before the second that the clock shows: that is now, also right after a restart', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-now-'))
    const databaseUrl = `sqlite:${join(directory, 'a.db')}`
    const before = await startTestApp({ databaseUrl })
    await post(before.url, [aBody({ files: [{ name: 'a' }] }), aBody({ server: 'other' })])
    await before.stop()
    const app = await startTestApp({ databaseUrl, at: '2026-04-21T10:40:00.250Z' })

    for (const path of ['/status.json', '/status.json?server=other', '/api/v1/status', '/api/v1/files']) {
      const live = (await get(app.url, path)).body
      for (const at of ['2026-04-21T10:40:00Z', '2026-04-21T10:40:00.250Z', '2026-04-21T10:44:00Z', '1776768000']) {
        const answer = await get(app.url, `${path}${path.includes('?') ? '&' : '?'}at=${at}`)
        assert.deepEqual(answer.body, live, `${path} at ${at}`)
      }
    }
    assert.equal((await get(app.url, '/api/v1/status?at=2026-04-21T10:39:59Z')).body[0].sync_status, 'UNKNOWN')
    await app.stop()
    rmSync(directory, { recursive: true })
  })

  it('takes the now of a dashboard whose clock is a little ahead for its own', async () => {
    const app = await startTestApp()
    await post(app.url, aBody())
    assert.equal((await get(app.url, '/status.json?at=2026-04-21T10:34:00Z')).body.generated_at, '2026-04-21T10:30:00Z')
    await app.stop()
  })

  it('is told as periods and episodes, page by page, each once', async () => {
    const app = await startFleet()
    for (const list of ['periods', 'episodes']) {
      const all = (await get(app.url, `/api/v1/${list}`)).body
      assert.equal(all.next_cursor, null)
      assertGolden(`${list}.json`, `${JSON.stringify(all, null, 2)}\n`)
      const paged: unknown[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: { items: unknown[]; next_cursor: string | null } = (
          await get(app.url, `/api/v1/${list}?limit=1&cursor=${cursor}`)
        ).body
        assert.equal(page.items.length, 1)
        paged.push(...page.items)
        cursor = page.next_cursor
      }
      assert.deepEqual(paged, all.items)
    }
    const narrowed = (await get(app.url, `/api/v1/periods?server=drifted&repo=rsyslog&from=2026-04-21T10:00:00Z`)).body
    assert.deepEqual(
      narrowed.items.map(({ server, began_at }: Record<string, string>) => `${server} ${began_at}`),
      ['drifted 2026-04-21T10:30:00Z', 'drifted 2026-04-21T09:30:00Z'],
    )
    assert.deepEqual((await get(app.url, '/api/v1/periods?server=no-such')).body, { items: [], next_cursor: null })
    await app.stop()
  })
})

describe('a target', () => {
  let app: AppUnderTest
  beforeEach(async () => {
    app = await startFleet()
  })
  afterEach(() => app.stop())
  const ONE = '/api/v1/targets/owner%2Fweb/drifted'

  async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(app.url)
      const request = httpRequest({ hostname, port, method, path, headers }, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        resolve({ status: response.statusCode ?? 0, text })
      })
      request.on('error', reject).end(body)
    })
  }

  it('is told with everything that is known of it', async () => {
    const { body } = await get(app.url, '/api/v1/targets/rsyslog/drifted')
    assertGolden('target.json', `${JSON.stringify(body, null, 2)}\n`)
    assert.equal((await get(app.url, ONE)).body.repo, 'owner/web')
  })

  it('has each file since it drifted, not since another one of its name did', async () => {
    const inA = { name: 'app.conf', path: '/etc/a/app.conf' }
    const inB = { name: 'app.conf', path: '/etc/b/app.conf' }
    await post(app.url, aBody({ server: 'two', files: [inA], last_check: '2026-04-21T10:20:00Z' }))
    await post(app.url, aBody({ server: 'two', files: [inB, inA], last_check: '2026-04-21T10:22:00Z' }))

    const { body } = await get(app.url, '/api/v1/targets/rsyslog/two')
    assert.deepEqual(
      body.files.map(({ path, first_seen }: Record<string, unknown>) => [path, first_seen]),
      [
        ['/etc/b/app.conf', '2026-04-21T10:22:00Z'],
        ['/etc/a/app.conf', '2026-04-21T10:20:00Z'],
      ],
    )
  })

  it('is listed in order of name, page by page, each once', async () => {
    const names: string[] = []
    let cursor = ''
    do {
      const { body } = await get(app.url, `/api/v1/targets?limit=2&cursor=${cursor}`)
      names.push(...body.items.map(({ repo, server }: Record<string, string>) => `${repo} ${server}`))
      cursor = body.next_cursor
    } while (cursor !== null)
    assert.deepEqual(names, [
      'owner/web drifted',
      'rsyslog clean',
      'rsyslog drifted',
      'rsyslog failed',
      'rsyslog silent',
    ])
  })

  it('that is not there is 404, whatever its name', async () => {
    for (const name of ['no/such', '__proto__/constructor', '%2e%2e/x', `a/${'b'.repeat(700)}`, '%F0%9F%92%A9/x']) {
      assert.equal((await send('GET', `/api/v1/targets/${name}`)).status, 404, name)
      assert.equal((await send('DELETE', `/api/v1/targets/${name}`)).status, 404, name)
    }
  })

  it('is forgotten when it is deleted, which the log says, and begins anew with its next report', async () => {
    assert.deepEqual(await send('DELETE', ONE), { status: 204, text: '' })
    assert.deepEqual((await send('DELETE', ONE)).status, 404)
    assert.equal((await get(app.url, ONE)).status, 404)
    assert.deepEqual((await get(app.url, '/api/v1/periods?repo=owner/web')).body.items, [])
    const line = app.log.find(({ msg }) => msg === 'a target was removed')
    assert.deepEqual([line?.level, line?.fields.repo, line?.fields.server], ['info', 'owner/web', 'drifted'])

    await post(app.url, aBody({ repo: 'owner/web', server: 'drifted', last_check: '2026-04-21T10:30:00Z' }))
    assert.equal((await get(app.url, ONE)).body.status.checks, 1)
  })

  it('is not deleted for a page of another site, nor with a body that is no JSON', async () => {
    assert.equal((await send('DELETE', ONE, { origin: 'https://evil.example' })).status, 403)
    assert.equal((await send('DELETE', ONE, { 'content-type': 'text/plain', 'content-length': '2' }, '{}')).status, 415)
    assert.equal((await get(app.url, ONE)).status, 200)
    assert.equal((await send('DELETE', ONE, { origin: app.url })).status, 204)
  })

  it('takes its methods and names them', async () => {
    const response = await fetch(`${app.url}${ONE}`, { method: 'PUT' })
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD, DELETE'])
  })
})

it('takes a report at /api/v1/status as at /api/status', async () => {
  const app = await startTestApp()
  const response = await fetch(`${app.url}/api/v1/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(aBody()),
  })
  assert.equal(response.status, 200)
  assert.equal((await get(app.url, '/api/v1/status')).body.length, 1)
  const refused = await fetch(`${app.url}/api/v1/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  })
  assert.equal(refused.status, 400)
  assert.equal(app.log.filter(({ msg }) => msg.startsWith('POST /api/status from')).length, 2)
  await app.stop()
})
