import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { STATUS } from '../../src/http/problem.ts'
import { aBody } from './a-report.ts'
import { lengthOf } from './long.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

let app: AppUnderTest
before(async () => {
  app = await startTestApp()
})
after(() => app.stop())

/** Bytes as they are, straight to the socket; what comes back until the server closes it. */
async function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {}) // cut off while still sending: what it said before that counts
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

async function send(method: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(app.url + path, { method, headers })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('a refusal', () => {
  it('is a problem document that names every bad field at once', async () => {
    const { status, headers, body } = await post(app.url, { ...aBody(), repo: 1, drift_count: -1, last_check: 'now' })

    assert.equal(status, 422)
    assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
    const { instance, ...problem } = body
    assert.match(instance, /^urn:uuid:/)
    assert.deepEqual(problem, {
      type: 'urn:gitops-status:problem:invalid_report',
      title: 'Invalid report',
      status: 422,
      detail: 'The body is not a report: see repo, drift_count, last_check',
      errors: [
        { field: 'repo', pointer: '/repo', detail: 'must be a string; got 1' },
        { field: 'drift_count', pointer: '/drift_count', detail: 'must be >= 0; got -1' },
        {
          field: 'last_check',
          pointer: '/last_check',
          detail: 'must be a time that exists, with a zone, such as 2026-04-21T10:30:00Z; got "now"',
        },
        { field: 'drift_count', pointer: '/drift_count', detail: 'must be the number of files (0); got -1' },
      ],
    })
  })

  it('has the id of its line in the log', async () => {
    const { body } = await post(app.url, '{')
    const line = app.log.findLast(({ msg }) => msg.startsWith('POST /api/status from'))
    assert.equal(body.instance, `urn:uuid:${line?.fields.request_id}`)
    assert.equal(line?.level, 'warn')
    assert.equal(line?.fields.status, 400)
  })

  for (const [fault, status] of Object.entries(STATUS)) {
    it(`for ${fault} is a 4xx, or a 503 that says when to come back: ${status}`, () => {
      assert.ok((status >= 400 && status < 500) || status === 503)
    })
  }
})

describe('a batch', () => {
  it('is answered in its order', async () => {
    const batch = ['x', 'y', 'z'].map((server) => aBody({ server }))
    const { status, body } = await post(app.url, batch)
    assert.equal(status, 200)
    assert.deepEqual(
      body.results.map(({ applied }: { applied: boolean }) => applied),
      [true, true, true],
    )
    const again = await post(app.url, [aBody({ server: 'new' }), ...batch])
    assert.deepEqual(
      again.body.results.map(({ applied }: { applied: boolean }) => applied),
      [true, false, false, false],
    )
  })

  const REFUSED: Record<string, { readonly batch: unknown; readonly field: string }> = {
    'that is empty': { batch: [], field: 'body' },
    'with an invalid member': { batch: [aBody({ server: 'p' }), { ...aBody(), server: '' }], field: '[1].server' },
    'with the same target twice': { batch: [aBody({ server: 'p' }), aBody(), aBody({ server: 'p' })], field: '[2]' },
    'with a member from the future': {
      batch: [aBody({ server: 'p' }), aBody({ last_check: '2099-01-01T00:00:00Z' })],
      field: '[1].last_check',
    },
    'in a batch': { batch: [[aBody()]], field: '[0]' },
  }
  for (const [what, { batch, field }] of Object.entries(REFUSED)) {
    it(`${what} is refused as a whole, naming ${field}`, async () => {
      const { status, body } = await post(app.url, batch)
      assert.equal(status, 422)
      assert.ok(
        body.errors.some((problem: { field: string }) => problem.field === field),
        JSON.stringify(body.errors),
      )
      assert.equal((await get(app.url, '/status.json?server=p')).body.target_count, 0)
    })
  }

  it('has one line in the log, which does not grow with it', async () => {
    const before = app.log.length
    await post(
      app.url,
      Array.from({ length: 200 }, (_, n) => aBody({ server: `batch-${n}` })),
    )
    const lines = app.log.slice(before)
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.fields.reports, 200)
    assert.equal(Object.keys(Object(lines[0]?.fields.targets)).length, 20)
  })
})

describe('time', () => {
  it('refuses a report from more than five minutes ahead and names both clocks', async () => {
    const { status, body } = await post(app.url, aBody({ server: 'time', last_check: '2026-04-21T10:35:01Z' }))
    assert.equal(status, 422)
    assert.equal(body.type, 'urn:gitops-status:problem:report_from_the_future')
    assert.match(body.detail, /2026-04-21T10:35:01Z.*2026-04-21T10:30:00Z/)
  })

  it('takes one from four minutes ahead, which blocks no truth after it', async () => {
    await post(app.url, aBody({ server: 'time', last_check: '2099-01-01T00:00:00Z' }))
    assert.equal(
      (await post(app.url, aBody({ server: 'time', last_check: '2026-04-21T10:34:00Z' }))).body.applied,
      true,
    )
    app.advance(1)
    const truth = aBody({ server: 'time', last_check: '2026-04-21T10:30:01Z', files: [{ name: 'a' }] })
    assert.equal((await post(app.url, truth)).body.applied, true)
    assert.equal((await get(app.url, '/status.json?server=time')).body.sync_status, 'OUT_OF_SYNC')
  })

  it('keeps a late report in the history and says so', async () => {
    await post(app.url, aBody({ server: 'late', last_check: '2026-04-21T10:30:00Z' }))
    const { body } = await post(
      app.url,
      aBody({ server: 'late', last_check: '2026-04-21T10:28:00Z', files: [{ name: 'a' }] }),
    )
    assert.deepEqual(body, {
      applied: false,
      changed: false,
      previous_status: 'SYNCED',
      warnings: ['came late: the report of 2026-04-21T10:30:00Z is newer, so this one only went into the history'],
    })
  })

  it('says when the same report was received before', async () => {
    const report = aBody({ server: 'twice', last_check: '2026-04-21T10:30:00Z' })
    await post(app.url, report)
    const { status, body } = await post(app.url, report)
    assert.equal(status, 200)
    assert.equal(body.applied, false)
    assert.match(body.warnings[0], /^was received before at 2026-04-21T10:30:\d\dZ: nothing stored$/)
  })

  it('shows a report that was old when it came as it was sent, LATE from the start, and warns', async () => {
    const { body } = await post(app.url, aBody({ server: 'old', last_check: '2026-04-21T09:00:00Z' }))
    assert.equal(body.applied, true)
    assert.match(body.warnings[0], /long over/)
    const shown = (await get(app.url, '/status.json?server=old')).body
    assert.deepEqual([shown.sync_status, shown.freshness], ['SYNCED', 'LATE'])
  })
})

describe('a request that is no report', () => {
  const TYPES = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json; charset=latin1',
    '',
  ]
  for (const type of TYPES) {
    it(`of type "${type}" is 415`, async () => {
      const { status, body } = await post(app.url, aBody(), { 'content-type': type })
      assert.equal(status, 415)
      assert.match(body.detail, /must be application\/json/)
    })
  }

  it('is refused by its type before its body is there', async () => {
    const answer = await raw(
      'POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1.1 415 /)
  })

  it('of type application/json; charset=utf-8 is taken', async () => {
    assert.equal((await post(app.url, aBody(), { 'content-type': 'Application/JSON; charset=UTF-8' })).status, 200)
  })

  it('that is compressed is 415', async () => {
    assert.equal((await post(app.url, aBody(), { 'content-encoding': 'gzip' })).status, 415)
  })

  it('from a page of another site is 403, from our own is taken', async () => {
    assert.equal((await post(app.url, aBody(), { origin: 'https://evil.example' })).status, 403)
    assert.equal((await post(app.url, aBody(), { origin: 'null' })).status, 403)
    assert.equal((await post(app.url, aBody(), { origin: app.url })).status, 200)
  })

  it('from a page whose name was pointed to us is 403, and from one at a local name is taken', async () => {
    const from = (host: string) => {
      const body = JSON.stringify(aBody())
      return raw(
        `POST /api/status HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      )
    }
    for (const host of ['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'a.local.evil.example']) {
      assert.match(await from(host), /^HTTP\/1.1 403 .*by address or a local name/s, host)
    }
    for (const host of [
      '127.0.0.1:8080',
      '[::1]:8080',
      'localhost',
      'homelab:8080',
      'status.home.arpa',
      'a.b.svc.cluster.local',
    ])
      assert.match(await from(host), /^HTTP\/1.1 200 /, host)
  })

  it('without a body is 400', async () => {
    const answer = await raw(
      'POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1.1 4(00|22) /)
  })

  it('that says it is too large is 413 before it is read', async () => {
    const answer = await raw(
      'POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1.1 413 /)
    assert.match(answer, /body_too_large/)
  })

  it('that turns out too large is cut off without being kept (R21)', async (t) => {
    const before = process.memoryUsage().rss
    const { hostname, port } = new URL(app.url)
    const request = httpRequest({
      hostname,
      port,
      method: 'POST',
      path: '/api/status',
      headers: { 'content-type': 'application/json' },
    })
    request.setMaxListeners(0).on('error', () => {}) // the server hangs up while we are still sending
    const chunk = Buffer.alloc(1024 * 1024, ' ')
    let sent = 0
    let status: number | undefined
    request.on('response', (response) => {
      status = response.statusCode
      response.resume()
    })
    const most = lengthOf({ gate: 64, long: 1_024 })
    while (sent < most && !request.destroyed && status === undefined) {
      sent++
      if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve).once('close', resolve))
    }
    if (!request.destroyed) request.destroy()
    assert.ok(status === 413 || status === undefined)
    const grown = (process.memoryUsage().rss - before) / 2 ** 20
    t.diagnostic(
      `R21: of a body of ${most} MB ${sent} were sent before it was cut off; memory ${grown.toFixed(0)} MiB more, the sender's included`,
    )
    assert.ok(sent < 64, `it read ${sent} MB`)
    assert.ok(grown < 64)
  })

  it('whose sender hangs up in the middle is no failure of ours', async () => {
    const { hostname, port } = new URL(app.url)
    const before = app.log.length
    const socket = connect(Number(port), hostname)
    socket.end(
      'POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"repo',
    )
    await once(socket.resume(), 'close')
    await get(app.url, '/livez')
    assert.deepEqual(
      app.log.slice(before).filter(({ level }) => level === 'error'),
      [],
    )
  })
})

describe('a path', () => {
  const METHODS: Record<string, string> = {
    '/api/status': 'POST',
    '/status.json': 'GET, HEAD',
    '/': 'GET, HEAD',
    '/activity': 'GET, HEAD',
    '/targets/a/b': 'GET, HEAD',
    '/assets/x.js': 'GET, HEAD',
    '/plain': 'GET, HEAD',
    '/livez': 'GET, HEAD',
    '/readyz': 'GET, HEAD',
    '/healthz': 'GET, HEAD',
    '/metrics': 'GET, HEAD',
    '/badge.svg': 'GET, HEAD',
    '/api/v1/events': 'GET, HEAD',
  }
  for (const [path, allowed] of Object.entries(METHODS)) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (allowed.split(', ').includes(method)) continue
      it(`${path} refuses ${method} with 405 and says what it takes`, async () => {
        const { status, headers } = await send(method, path, { 'content-type': 'text/plain' })
        assert.equal(status, 405)
        assert.equal(headers.get('allow'), allowed)
      })
    }
  }

  it('that does not exist is 404, whatever the method and type', async () => {
    assert.equal((await send('GET', '/nowhere?token=secret')).status, 404)
    assert.equal((await send('POST', '/nowhere', { 'content-type': 'text/plain' })).status, 404)
    assert.ok(!JSON.stringify(app.log).includes('secret'))
  })

  const HOSTILE = [
    '/%',
    '/%ff',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
    '/\\..\\..',
    '/status.json/',
    `/${'a'.repeat(8_000)}`,
    '/status.json%00',
    '/.git/config',
  ]
  for (const path of HOSTILE) {
    it(`like ${path.slice(0, 40)} finds nothing`, async () => {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1.1 (400|404|414) /)
      assert.ok(!answer.includes('root:'))
    })
  }
})

describe('what is not HTTP', () => {
  const NOISE = [
    'hello\r\n\r\n',
    '\x16\x03\x01\x00\xa5\x01\x00\x00',
    'GET / HTTP/9.9\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
    'BREW / HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
  ]
  for (const noise of NOISE) {
    it(`such as ${JSON.stringify(noise.slice(0, 40))} is a 4xx, or nothing`, async () => {
      assert.match(await raw(noise), /^(HTTP\/1.1 4\d\d |$)/)
    })
  }
})

describe('health', () => {
  it('is 200 with a JSON body for Grafana, for liveness and for readiness', async () => {
    for (const path of ['/healthz', '/livez']) {
      assert.deepEqual([(await get(app.url, path)).status, (await get(app.url, path)).body], [200, { status: 'ok' }])
    }
    const ready = await get(app.url, '/readyz')
    assert.deepEqual([ready.status, ready.body], [200, { status: 'ok', ready: 1 }])
  })

  it('leaves no target behind', async () => {
    const fresh = await startTestApp()
    await get(fresh.url, '/readyz')
    assert.equal((await get(fresh.url, '/status.json')).body.target_count, 0)
    await fresh.stop()
  })
})
