import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openTokenStore } from '../../src/store/open-store.ts'
import { runTokenCommand } from '../../src/token-command.ts'
import { WrongSettings } from '../../src/wrong-settings.ts'
import { aBody } from './a-report.ts'
import { type RunningServer, startServer } from './start-server.ts'

const MAIN = new URL('../../src/gitops-status-server.ts', import.meta.url).pathname

const root = mkdtempSync(join(tmpdir(), 'gitops-status-access-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** What `gitops-status-server token` does: its result, and what it says besides. */
async function token(database: string, ...argv: readonly string[]) {
  const result: string[] = []
  const said: string[] = []
  let status = 0
  try {
    await runTokenCommand(argv, {
      openTokens: openTokenStore,
      databaseUrl: () => `sqlite:${database}`,
      now: () => new Date(),
      out: (line) => result.push(line),
      say: (line) => said.push(line),
    })
  } catch (error) {
    if (!(error instanceof WrongSettings)) throw error
    status = 64
    said.push(...error.problems)
  }
  return { status, result: result.join('\n'), said: said.join('\n') }
}

interface Asked {
  readonly method?: string
  readonly secret?: string
  readonly body?: unknown
}

async function ask(url: string, path: string, { method = 'GET', secret, body }: Asked = {}) {
  const controller = new AbortController()
  const response = await fetch(new URL(path, url), {
    method,
    signal: controller.signal,
    headers: {
      ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const text = isStream ? await firstEventsOf(response) : await response.text()
  controller.abort()
  return { status: response.status, headers: response.headers, text }
}

/** What a stream begins with: each target as it is. */
async function firstEventsOf(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true })
    if (text.includes('event: ready')) break
  }
  return text
}

function report(repo: string, server: string) {
  return { ...aBody({ files: [{ name: `${repo}.conf` }] }), repo, server }
}

async function until(is: () => Promise<boolean>): Promise<void> {
  const begun = performance.now()
  while (!(await is())) {
    assert.ok(performance.now() - begun < 10_000, 'not within ten seconds')
    await wait(20)
  }
}

describe('a server with tokens', () => {
  const database = join(root, 'tokens.db')
  let server: RunningServer
  const secrets: Record<string, string> = {}
  before(async () => {
    server = await startServer({ database, args: ['--anonymous', 'none'] })
    // Reports from when it was still open, of two teams.
    for (const [repo, name] of [
      ['mine', 'mine-1'],
      ['hidden', 'hidden-1'],
    ] as const) {
      assert.equal((await ask(server.url, '/api/status', { method: 'POST', body: report(repo, name) })).status, 200)
    }
    const make = async (...args: string[]) => (await token(database, 'create', ...args)).result
    secrets.reader = await make('--scope', 'read')
    secrets['reader of some'] = await make('--scope', 'read', '--repo', 'mine', '--server', 'mine-*')
    secrets.reporter = await make('--scope', 'write')
    secrets['reporter of some'] = await make('--scope', 'write', '--repo', 'mine', '--server', 'mine-*')
    secrets.admin = await make('--scope', 'admin')
    secrets['admin of some'] = await make('--scope', 'admin', '--repo', 'mine')
    secrets.unknown = `gss_${'A'.repeat(43)}`
    await until(async () => (await ask(server.url, '/status.json')).status === 401)
    await until(
      async () => (await ask(server.url, '/status.json', { secret: secrets['admin of some'] ?? '' })).status === 200,
    )
  })
  after(() => server.end('SIGTERM'))

  /** What each role is told of a route, by what the route needs. */
  const EXPECTED: Record<string, Record<string, string>> = {
    open: {
      nobody: '2',
      unknown: '2',
      reader: '2',
      'reader of some': '2',
      reporter: '2',
      'admin of some': '2',
      admin: '2',
    },
    read: {
      nobody: '401',
      unknown: '401',
      reader: '2',
      'reader of some': '2',
      reporter: '403',
      'admin of some': '2',
      admin: '2',
    },
    'read of all': {
      nobody: '401',
      unknown: '401',
      reader: '2',
      'reader of some': '403',
      reporter: '403',
      'admin of some': '403',
      admin: '2',
    },
    'read of a hidden one': {
      nobody: '401',
      unknown: '401',
      reader: '2',
      'reader of some': '404',
      reporter: '403',
      'admin of some': '404',
      admin: '2',
    },
    audit: {
      nobody: '401',
      unknown: '401',
      reader: '403',
      reporter: '403',
      'admin of some': '403',
      admin: '2',
    },
    write: {
      nobody: '401',
      unknown: '401',
      reader: '403',
      'reader of some': '403',
      reporter: '2',
      'reporter of some': '403',
      'admin of some': '403',
      admin: '2',
    },
    'remove a hidden one': {
      nobody: '401',
      unknown: '401',
      reader: '403',
      'reader of some': '403',
      reporter: '403',
      'admin of some': '404',
      admin: '204',
    },
  }

  const ROUTES: Record<string, { readonly needs: string; readonly path?: string; readonly body?: unknown }> = {
    postStatus: { needs: 'write', body: report('hidden', 'hidden-1') },
    postStatusV1: { needs: 'write', body: [report('hidden', 'hidden-1')] },
    getStatusJson: { needs: 'read' },
    listStatus: { needs: 'read' },
    listFiles: { needs: 'read' },
    listHistory: { needs: 'read' },
    listTotals: { needs: 'read' },
    listTransitions: { needs: 'read' },
    listRepos: { needs: 'read' },
    listServers: { needs: 'read' },
    listTargets: { needs: 'read' },
    getTarget: { needs: 'read of a hidden one', path: '/api/v1/targets/hidden/hidden-1' },
    removeTarget: { needs: 'remove a hidden one', path: '/api/v1/targets/hidden/hidden-1' },
    listPeriods: { needs: 'read' },
    listEpisodes: { needs: 'read' },
    getBadgeSvg: { needs: 'read' },
    getBadgeJson: { needs: 'read' },
    getEvents: { needs: 'read' },
    getMetrics: { needs: 'read of all' },
    listAudit: { needs: 'audit' },
    getAsset: { needs: 'open', path: `/assets/${readdirSync(new URL('../../dist/web/assets/', import.meta.url))[0]}` },
    getPage: { needs: 'open' },
    getActivityPage: { needs: 'open' },
    getTargetPage: { needs: 'open', path: '/targets/hidden/no-such-one' },
    getPlainPage: { needs: 'read of all' },
    getLivez: { needs: 'open' },
    getHealthz: { needs: 'open' },
    getReadyz: { needs: 'open' },
    getOpenApi: { needs: 'open' },
  }

  it('lets each role do on each route what it may, and nothing else (S2)', async (t) => {
    const { text } = await ask(server.url, '/openapi.json')
    const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, { operationId: string }>> }
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => ({
        path,
        method: method.toUpperCase(),
        id: operationId,
      })),
    )
    assert.deepEqual(
      operations.map(({ id }) => id).sort(),
      Object.keys(ROUTES).sort(),
      'say here who may use a new route',
    )

    let asked = 0
    for (const { path, method, id } of operations) {
      const route = ROUTES[id]
      for (const [role, expected] of Object.entries(EXPECTED[route?.needs ?? ''] ?? {})) {
        const secret = secrets[role]
        const answer = await ask(server.url, route?.path ?? path, {
          method,
          ...(secret !== undefined && { secret }),
          ...(route?.body !== undefined && { body: route.body }),
        })
        assert.ok(String(answer.status).startsWith(expected), `${id} by ${role}: ${answer.status}, not ${expected}`)
        assert.equal(answer.headers.has('www-authenticate'), answer.status === 401)
        asked += 1
        if (id === 'removeTarget' && answer.status === 204) {
          await ask(server.url, '/api/status', {
            method: 'POST',
            body: report('hidden', 'hidden-1'),
            secret: secrets.admin ?? '',
          })
        }
      }
    }
    t.diagnostic(`S2: ${operations.length} routes, ${asked} requests`)
  })

  it('shows a token for some targets no other one, on any route and in any form', async () => {
    const secret = secrets['reader of some'] ?? ''
    const thenMs = Date.now()
    await until(async () => Date.now() > thenMs + 1_500) // of this very second the present is told
    const past = `?at=${new Date(thenMs).toISOString()}`
    assert.match((await ask(server.url, `/status.json${past}`, { secret: secrets.admin ?? '' })).text, /hidden/)
    for (const [id, route] of Object.entries(ROUTES)) {
      if (route.needs !== 'read') continue
      const { text } = await ask(server.url, '/openapi.json')
      const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, { operationId: string }>> }
      const [path = ''] = Object.entries(paths).find(([, { get }]) => get?.operationId === id) ?? []
      const queries = [
        '',
        '?repo=hidden',
        '?repo=hidden&server=hidden-1',
        '?repo=*',
        '?format=csv',
        '?status=OUT_OF_SYNC',
        past,
        `${past}&repo=hidden`,
        `${past}&format=csv`,
      ]
      for (const query of queries) {
        const answer = await ask(server.url, path + query, { secret })
        if (answer.status === 400) continue // that route has another meaning for it
        assert.equal(answer.status, 200, `${path}${query}`)
        assert.doesNotMatch(answer.text, /hidden/, `${path}${query}`)
      }
    }
    assert.match((await ask(server.url, '/status.json', { secret })).text, /mine-1/)
    assert.match((await ask(server.url, '/badge.json', { secret })).text, /out of sync/)
  })

  it('shows nobody what was written for another who asked the same at the same moment', async () => {
    const asked = ['/status.json?status=OUT_OF_SYNC', '/api/v1/status?limit=3', '/status.json']
    for (const path of asked) {
      const roles = ['admin', 'reader of some', 'reader', 'admin of some']
      const answers = await Promise.all(roles.map((role) => ask(server.url, path, { secret: secrets[role] ?? '' })))
      assert.deepEqual(
        answers.map(({ text }) => text.includes('hidden')),
        [true, false, true, false],
        path,
      )
    }
  })

  it('refuses all of a batch when one of it is not for the token, and names it', async () => {
    const secret = secrets['reporter of some'] ?? ''
    const body = [report('mine', 'mine-2'), report('mine', 'other'), report('hidden', 'mine-3')]

    const answer = await ask(server.url, '/api/status', { method: 'POST', body, secret })

    assert.equal(answer.status, 403)
    const { errors } = JSON.parse(answer.text)
    assert.deepEqual(
      errors.map(({ field }: { field: string }) => field),
      ['[1].repo', '[2].repo'],
    )
    assert.doesNotMatch((await ask(server.url, '/status.json', { secret: secrets.admin ?? '' })).text, /mine-2/)
  })

  it('takes the report that a token is for, and says in the log which one it was', async () => {
    const secret = secrets['reporter of some'] ?? ''
    assert.equal(
      (await ask(server.url, '/api/status', { method: 'POST', body: report('mine', 'mine-4'), secret })).status,
      200,
    )
    const listed = JSON.parse((await token(database, 'list', '--json')).result)
    const { id } = listed.find(
      (one: { scopes: string[]; repos: string[] }) => one.scopes[0] === 'write' && one.repos[0] === 'mine',
    )
    await until(async () => server.lines.some((line) => line.includes('mine-4') && line.includes(`token ${id}`)))
  })

  it('ends the stream of whoever listens with a token that became less in its file', async (t) => {
    const file = join(root, 'narrowed.json')
    const made = await token(join(root, 'none.db'), 'create', '--as-config', '--scope', 'read')
    const [secret = '', entry = ''] = made.result.split('\n')
    const put = (scope: object) => {
      writeFileSync(`${file}.new`, JSON.stringify([{ ...JSON.parse(entry), ...scope }]))
      renameSync(`${file}.new`, file)
    }
    put({})
    const closed = await startServer({
      database: join(root, 'narrowed.db'),
      args: ['--tokens-file', file, '--anonymous', 'none'],
    })
    t.after(() => closed.end('SIGTERM'))
    const response = await fetch(new URL('/api/v1/events', closed.url), {
      headers: { authorization: `Bearer ${secret}` },
    })
    const heard = response.text()

    put({ repo: 'mine', label: 'narrowed' })

    assert.match(await heard, /access_changed/)
  })

  it('is told no token by its address (S5)', async () => {
    for (const name of ['token', 'access_token', 'authorization']) {
      assert.equal((await ask(server.url, `/status.json?${name}=${secrets.admin}`)).status, 401)
    }
  })

  it('answers before it has read a byte of the body (S12)', async () => {
    for (const type of ['application/json', 'text/plain']) {
      const answer = await answerWithoutBody(server.url, `Content-Type: ${type}\r\nContent-Length: 8000000`)
      assert.match(answer, /^HTTP\/1.1 401 /)
    }
  })

  it('says the same of a repository that is there and of one that is not (S4)', async () => {
    const of = async (path: string) => {
      const { status, text } = await ask(server.url, path, { secret: secrets['reader of some'] ?? '' })
      return [status, text.replaceAll(/hidden|nobody|urn:uuid:[^"]+/g, '…')]
    }
    assert.deepEqual(await of('/api/v1/targets/hidden/hidden-1'), await of('/api/v1/targets/nobody/nobody-1'))
  })

  it('keeps no token: not in the database, its log, or what it prints (S3)', async () => {
    for (const name of readdirSync(root).filter((one) => one.startsWith('tokens.db'))) {
      const content = readFileSync(join(root, name)).toString('latin1')
      for (const [role, secret] of Object.entries(secrets))
        assert.ok(!content.includes(secret.slice(4)), `${role} in ${name}`)
    }
    const printed = server.lines.join('\n')
    for (const secret of Object.values(secrets)) assert.ok(!printed.includes(secret.slice(4)))
  })

  it('knows within two seconds that a token was revoked, and writes down who did it (S43)', async (t) => {
    const { result: secret } = await token(database, 'create', '--scope', 'read', '--label', 'short')
    await until(async () => (await ask(server.url, '/status.json', { secret })).status === 200)

    assert.equal((await token(database, 'revoke', 'short')).status, 0)
    const begun = performance.now()
    await until(async () => (await ask(server.url, '/status.json', { secret })).status === 401)
    t.diagnostic(`revoked after ${Math.round(performance.now() - begun)} ms`)

    assert.match((await ask(server.url, '/status.json', { secret })).text, /is revoked/)
    const db = new DatabaseSync(database, { readOnly: true })
    const newest = db.prepare('SELECT action, actor FROM audit ORDER BY id DESC').get()
    db.close()
    const log = Object.values(newest ?? {}).join('|')
    assert.match(log, /^token\.revoke\|.+ on /)
  })

  it('ends the stream of whoever listens with a token that is revoked', async () => {
    const { result: secret } = await token(database, 'create', '--scope', 'read', '--label', 'listens')
    await until(async () => (await ask(server.url, '/status.json', { secret })).status === 200)
    const response = await fetch(new URL('/api/v1/events', server.url), {
      headers: { authorization: `Bearer ${secret}` },
    })
    const heard = response.text() // until it ends

    await token(database, 'revoke', 'listens')

    assert.match(await heard, /event: closing\ndata: \{"reason":"access_changed"/)
  })

  it('lets the old token work beside the new one until it runs out', async () => {
    const { result: old } = await token(database, 'create', '--scope', 'read', '--label', 'turned')
    await until(async () => (await ask(server.url, '/status.json', { secret: old })).status === 200)

    const { result: fresh } = await token(database, 'rotate', 'turned', '--overlap', '1h')

    await until(async () => (await ask(server.url, '/status.json', { secret: fresh })).status === 200)
    assert.equal((await ask(server.url, '/status.json', { secret: old })).status, 200)
  })
})

describe('a server without tokens', () => {
  it('lets anybody report, and says so at its start and in its metrics (S1)', async (t) => {
    const server = await startServer({ database: join(root, 'open.db') })
    t.after(() => server.end('SIGTERM'))
    assert.ok(server.lines.some((line) => line.includes('anybody who reaches this server may report')))
    assert.match((await ask(server.url, '/metrics')).text, /^gitops_status_open 1$/m)
    const secret = `gss_${'A'.repeat(43)}`
    assert.equal((await ask(server.url, '/api/status', { method: 'POST', body: report('a', 'b'), secret })).status, 200)
  })

  it('is closed from the start with --auth required, and still shows what there is', async (t) => {
    const server = await startServer({ database: join(root, 'required.db'), args: ['--auth', 'required'] })
    t.after(() => server.end('SIGTERM'))
    assert.equal((await ask(server.url, '/api/status', { method: 'POST', body: report('a', 'b') })).status, 401)
    assert.equal((await ask(server.url, '/status.json')).status, 200)
    assert.match((await ask(server.url, '/metrics')).text, /^gitops_status_open 0$/m)
  })

  it('stays closed when its last token is gone', async (t) => {
    const database = join(root, 'once.db')
    await token(database, 'create', '--label', 'only')
    await token(database, 'revoke', 'only')
    const server = await startServer({ database })
    t.after(() => server.end('SIGTERM'))
    assert.equal((await ask(server.url, '/api/status', { method: 'POST', body: report('a', 'b') })).status, 401)
  })
})

describe('tokens of the configuration', () => {
  it('count as soon as the file says so, and one with a mistake changes nothing', async (t) => {
    const file = join(root, 'tokens.json')
    const made = await token(join(root, 'none.db'), 'create', '--as-config', '--scope', 'write')
    const [secret = '', entry = ''] = made.result.split('\n')
    const put = (text: string) => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    put('[]')
    const server = await startServer({ database: join(root, 'configured.db'), args: ['--tokens-file', file] })
    t.after(() => server.end('SIGTERM'))
    const post = async () =>
      (await ask(server.url, '/api/status', { method: 'POST', body: report('a', 'b'), secret })).status
    assert.equal(await post(), 401)

    put(`[${entry}]`)
    await until(async () => (await post()) === 200)
    put(`[${entry}`)
    await until(async () => server.lines.some((line) => line.includes('the file of tokens cannot be used')))
    assert.equal(await post(), 200)
    put('[]')
    await until(async () => (await post()) === 401)
  })

  it('stop the start when they are wrong from the start', () => {
    const file = join(root, 'wrong.json')
    writeFileSync(file, '[{"sha256": "x"}]')
    const { status, stderr } = spawnSync(process.execPath, [MAIN, '--port', '0', '--tokens-file', file], {
      encoding: 'utf8',
      env: { ...process.env, DATABASE_URL: 'sqlite::memory:' },
    })
    assert.equal(status, 1)
    assert.match(stderr, /wrong\.json cannot be used: \[0\]\.sha256: must be.*; \[0\]\.scope: is missing/)
  })
})

describe('gitops-status-server token', () => {
  const database = join(root, 'command.db')

  it('names every mistake at once and makes nothing', async () => {
    await token(database, 'create', '--label', 'first')
    const { status, said } = await token(database, 'create', '--scope', 'root', '--expires', 'soon', '--repo', ',')
    assert.equal(status, 64)
    for (const flag of ['--scope', '--expires', '--repo']) assert.match(said, new RegExp(`${flag}: must be`))
    assert.equal((await token(database, 'list')).result.split('\n').length, 2)
  })

  it('shows what there is without any token or digest', async () => {
    const { result: secret } = await token(
      database,
      'create',
      '--repo',
      'rsyslog',
      '--server',
      'rsyslog-*',
      '--label',
      'ci',
    )
    const { result } = await token(database, 'list')
    assert.match(
      result,
      /^ID +LABEL +SCOPE +REPO +SERVER +STATE +EXPIRES +LAST USED\n.*first.*\n[0-9a-f]{8} +ci +write +rsyslog +rsyslog-\* +valid +\d{4}-/,
    )
    assert.ok(!result.includes(secret.slice(4)))
    assert.ok(!('digest' in JSON.parse((await token(database, 'list', '--json')).result)[0]))
  })

  it('is a command, which prints the token and nothing else where a program reads it', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [MAIN, 'token', ...args, '--database-url', `sqlite:${database}`], {
        encoding: 'utf8',
      })
    const made = run('create', '--label', 'by command')
    assert.match(made.stdout, /^gss_[A-Za-z0-9_-]{43}\n$/)
    assert.match(made.stderr, /^Token [0-9a-f]{8} \(by command\): write, \* on \*, until .*It is shown this once/)
    assert.equal(run('revoke', 'nobody').status, 64)
  })

  it('makes no database for whoever only looks', async () => {
    const nowhere = join(root, 'mistyped.db')
    await assert.rejects(token(nowhere, 'list'), /There is no database .*mistyped\.db/)
    assert.equal(existsSync(nowhere), false)
  })

  it('finds a token by itself before it looks at labels', async () => {
    const { result: secret } = await token(database, 'create', '--label', 'leaked')
    const listed = JSON.parse((await token(database, 'list', '--json')).result)
    const { id } = listed.at(-1)
    await token(database, 'create', '--label', id)

    assert.match((await token(database, 'revoke', id)).said, new RegExp(`^The token ${id} \\(leaked\\)`))
    assert.match((await token(database, 'revoke', secret)).said, /was revoked before/)
  })

  const REFUSED: readonly [args: string, words: RegExp][] = [
    ['', /must be token create, list, revoke or rotate/],
    ['revoke', /the id is missing/],
    ['revoke nobody', /there is no such token/],
    ['create now', /now: is too much/],
    ['create --scop write', /--scop/],
    ['rotate ci --overlap soon', /--overlap: must be/],
    ['rotate ci --overlap never', /--overlap: must be/],
    [`revoke gss_${'A'.repeat(43)}`, /^that token: there is no such token/],
    ['create --repo a\u001b[2J', /--repo: must be/],
  ]
  for (const [args, words] of REFUSED) {
    it(`refuses "${args}"`, async () => {
      const { status, said } = await token(database, ...args.split(' ').filter((word) => word !== ''))
      assert.equal(status, 64)
      assert.match(said, words)
    })
  }
})

/** Sends the head of a post and waits for what comes, without ever sending the body. */
function answerWithoutBody(url: string, headers: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST /api/status HTTP/1.1\r\nHost: ${hostname}\r\n${headers}\r\n\r\n`)
    })
    socket.on('error', reject)
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString())
    })
  })
}
