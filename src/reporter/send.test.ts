import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { aVerdict } from '../../test/reporter/evidence-builder.ts'
import { describe as describeDelivery, type PostOptions } from './post.ts'
import { push } from './pushgateway.ts'
import { reportBody } from './report-body.ts'
import { type Delivery, send } from './send.ts'

const ANSWER = { applied: true, changed: false, previous_status: 'SYNCED', warnings: [] }
const REPORT = reportBody(aVerdict(), {
  repo: 'rsyslog',
  startedAt: new Date('2026-04-21T10:30:00Z'),
  durationMs: 1,
  intervalSeconds: null,
  origin: { name: 'by hand' },
})
const OK = (response: ServerResponse, answer: unknown = ANSWER) => response.end(JSON.stringify(answer))
const status =
  (code: number, headers: Record<string, string> = {}, body = '') =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end(body)

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server that gives its answers in turn, and the last one for ever. */
async function withServer(
  answers: readonly ((response: ServerResponse) => unknown)[],
  use: (url: string, seen: readonly Seen[]) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = []
  const listener: RequestListener = (request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const answer = answers[Math.min(seen.length, answers.length - 1)]
      seen.push({ method: request.method, url: request.url, headers: request.headers, body })
      answer?.(response)
    })
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function sendTo(serverUrl: string, options: Partial<PostOptions> = {}, token: string | null = null): Promise<Delivery> {
  return send(
    [REPORT],
    { serverUrl, token, userAgent: 'gitops-status/test' },
    { budgetMs: 900, firstWaitMs: 1, ...options },
  )
}

describe('send', () => {
  it('posts one report as an object, and believes an answer that says what became of it', async () => {
    await withServer([OK], async (url, seen) => {
      assert.deepEqual(await sendTo(url), { kind: 'delivered', httpStatus: 200, answers: [ANSWER] })
      assert.deepEqual([seen[0]?.method, seen[0]?.url], ['POST', '/api/status'])
      assert.equal(seen[0]?.body, JSON.stringify(REPORT))
      assert.equal(seen[0]?.headers['content-type'], 'application/json')
      assert.equal(seen[0]?.headers['user-agent'], 'gitops-status/test')
    })
  })

  it('posts several as one batch', async () => {
    const answer = (response: ServerResponse) => OK(response, { results: [ANSWER, ANSWER] })
    await withServer([answer], async (serverUrl, seen) => {
      const destination = { serverUrl, token: null, userAgent: 'x' }
      const delivery = await send([REPORT, REPORT], destination, { budgetMs: 900 })

      assert.equal(delivery.kind, 'delivered')
      assert.equal(JSON.parse(seen[0]?.body ?? '').length, 2)
    })
  })

  const STRANGERS: readonly (readonly [what: string, body: string])[] = [
    ['a page', '<!doctype html><title>Sign in</title>'],
    ['nothing', ''],
    ['other JSON', '{"ok": true}'],
    ['null', 'null'],
    ['the answer of a batch', JSON.stringify({ results: [ANSWER] })],
    ['half an answer', JSON.stringify({ applied: true })],
    ['warnings that are no words', JSON.stringify({ ...ANSWER, warnings: [1, null] })],
  ]
  for (const [what, body] of STRANGERS) {
    it(`does not take HTTP 200 with ${what} for a delivery`, async () => {
      await withServer([status(200, {}, body)], async (url, seen) => {
        const delivery = await sendTo(url)
        assert(delivery.kind === 'failed' && /something other than gitops-status-server/.test(delivery.reason))
        assert.equal(seen.length, 1)
      })
    })
  }

  it('does not take a batch for delivered when an answer is missing', async () => {
    const answer = (response: ServerResponse) => OK(response, { results: [ANSWER] })
    await withServer([answer], async (serverUrl) => {
      const delivery = await send([REPORT, REPORT], { serverUrl, token: null, userAgent: 'x' }, { budgetMs: 900 })
      assert.equal(delivery.kind, 'failed')
    })
  })

  for (const code of [500, 502, 503, 408, 429]) {
    it(`tries again after HTTP ${code}`, async () => {
      const retries: string[] = []
      await withServer([status(code), status(code), OK], async (url, seen) => {
        const delivery = await sendTo(url, { onRetry: (reason) => retries.push(reason) })

        assert.equal(delivery.kind, 'delivered')
        assert.equal(seen.length, 3)
        assert.deepEqual(retries, [`HTTP ${code}: no reason given`, `HTTP ${code}: no reason given`])
      })
    })
  }

  it('waits as long as it was asked to', async () => {
    const waits: number[] = []
    await withServer([status(429, { 'retry-after': '0.2' }), OK], async (url) => {
      const delivery = await sendTo(url, { onRetry: (_, wait) => waits.push(wait) })
      assert.deepEqual([delivery.kind, waits], ['delivered', [200]])
    })
  })

  it('gives up at once when it was asked to wait for longer than it may', async () => {
    await withServer([status(429, { 'retry-after': '3600' })], async (url, seen) => {
      const began = performance.now()
      assert.equal((await sendTo(url)).kind, 'refused')
      assert(performance.now() - began < 500)
      assert.equal(seen.length, 1)
    })
  })

  it('does not hammer a server that asks for no wait', async () => {
    for (const value of ['0', '', '-1', 'x', 'Wed, 21 Apr 2026 10:30:00 GMT']) {
      const waits: number[] = []
      await withServer([status(503, { 'retry-after': value })], async (url) => {
        await sendTo(url, { budgetMs: 60, firstWaitMs: 10_000, onRetry: (_, wait) => waits.push(wait) })
        assert(waits.length <= 2, `${value}: ${waits.length} tries in 60 ms`)
      })
    }
  })

  for (const code of [400, 401, 403, 404, 409, 413, 415, 422]) {
    it(`is refused for good by HTTP ${code}`, async () => {
      await withServer([status(code)], async (url, seen) => {
        assert.deepEqual(await sendTo(url), { kind: 'refused', httpStatus: code, reason: 'no reason given' })
        assert.equal(seen.length, 1)
      })
    })
  }

  it('says what a problem document says, field by field, on one line', async () => {
    const problem = {
      title: 'Invalid report',
      detail: 'The report is\u001b[2J invalid',
      errors: [{ field: 'repo', detail: 'is\nmissing' }],
    }
    await withServer([status(422, {}, JSON.stringify(problem))], async (url) => {
      const delivery = await sendTo(url)
      assert(delivery.kind === 'refused')
      assert.equal(describeDelivery(delivery), 'HTTP 422: The report is invalid; repo is missing')
    })
  })

  for (const code of [301, 302, 303, 307, 308]) {
    it(`never follows a redirect (HTTP ${code})`, async () => {
      await withServer([OK], async (elsewhere, seenElsewhere) => {
        await withServer([status(code, { location: `${elsewhere}/api/status` })], async (url) => {
          const delivery = await sendTo(url, {}, 'secret')
          assert(delivery.kind === 'refused' && delivery.httpStatus === code)
          assert.equal(seenElsewhere.length, 0)
        })
      })
    })
  }

  it('sends the token in a header, and nowhere else', async () => {
    await withServer([OK], async (url, seen) => {
      await sendTo(url, {}, 'secret-token')
      assert.equal(seen[0]?.headers.authorization, 'Bearer secret-token')
      const { authorization: _, ...otherHeaders } = seen[0]?.headers ?? {}
      assert(!JSON.stringify([seen[0]?.url, seen[0]?.body, otherHeaders]).includes('secret-token'))
    })
    await withServer([OK], async (url, seen) => {
      await sendTo(url)
      assert.equal(seen[0]?.headers.authorization, undefined)
    })
  })

  it('does not show the token when the server repeats it', async () => {
    await withServer([status(401, {}, JSON.stringify({ detail: 'Bearer secret-token is not known' }))], async (url) => {
      const delivery = await sendTo(url, {}, 'secret-token')
      assert(!JSON.stringify(delivery).includes('secret-token'))
    })
  })

  it('does not show the token when something on the way repeats it in another form, or in a warning', async () => {
    const token = 'tok/en+"x'
    const repeated = `${token} ${JSON.stringify(token)} ${encodeURIComponent(token)} ${Buffer.from(token).toString('base64')}`
    const problem = JSON.stringify({ detail: repeated }).replaceAll('tok', '\\u0074ok')
    await withServer([status(403, {}, problem)], async (url) => {
      assert.deepEqual(await sendTo(url, {}, token), {
        kind: 'refused',
        httpStatus: 403,
        reason: '*** "***" *** ***',
      })
    })
    const warned = (response: ServerResponse) => OK(response, { ...ANSWER, warnings: [repeated] })
    await withServer([warned], async (url) => {
      const delivery = await sendTo(url, {}, token)
      assert(delivery.kind === 'delivered')
      assert.deepEqual(delivery.answers[0]?.warnings, ['*** "***" *** ***'])
    })
  })

  it('does not show what a proxy repeats of the header for a Pushgateway', async () => {
    const auth = 'user:p/w+&"x'
    const basic = Buffer.from(auth).toString('base64')
    const gateway = { auth, job: 'j', metric: 'm', syncedValue: 0 } as const
    await withServer([status(403, {}, `denied: Authorization: Basic ${basic}, ${auth}`)], async (url) => {
      const pushed = await push(REPORT, { ...gateway, url }, 'gitops-status/test', { budgetMs: 900 })
      assert.deepEqual(pushed, {
        kind: 'refused',
        httpStatus: 403,
        reason: 'denied: Authorization: Basic ***, ***',
      })
    })
  })

  it('tries again when nobody listens, until its time is over', async () => {
    let url = ''
    await withServer([OK], async (address) => {
      url = address
    })
    const retries: string[] = []
    const began = performance.now()

    const delivery = await sendTo(url, { budgetMs: 200, firstWaitMs: 20, onRetry: (reason) => retries.push(reason) })

    assert(delivery.kind === 'failed' && /ECONNREFUSED/.test(delivery.reason), JSON.stringify(delivery))
    assert(retries.length > 0)
    assert(performance.now() - began < 1_000)
  })

  const SILENT: readonly (readonly [what: string, answer: (response: ServerResponse) => unknown])[] = [
    ['never answers', () => {}],
    ['begins an answer and does not end it', (response) => response.writeHead(200).write('{')],
    [
      'goes on answering for ever',
      (response) => {
        const timer = setInterval(() => response.write(' '), 5)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ]
  for (const [what, answer] of SILENT) {
    it(`gives up on a server that ${what}`, async () => {
      await withServer([answer], async (url) => {
        const began = performance.now()
        assert.deepEqual(await sendTo(url, { budgetMs: 200 }), {
          kind: 'failed',
          reason: 'the server did not answer in time',
        })
        assert(performance.now() - began < 1_000)
      })
    })
  }

  it('reads no more of an answer than any of ours is long', async () => {
    const endless = (response: ServerResponse) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more)
      }
      response.on('error', () => {})
      more()
    }
    const interruption = new AbortController()
    const reasons: string[] = []
    await withServer([endless], async (url) => {
      await sendTo(url, {
        budgetMs: 9_000,
        signal: interruption.signal,
        onRetry(reason) {
          reasons.push(reason)
          interruption.abort()
        },
      })
    })
    assert.deepEqual(reasons, ['the answer does not end'])
  })

  it('ends its retries when it is interrupted', async () => {
    const interruption = new AbortController()
    await withServer([status(500)], async (url, seen) => {
      const delivery = await sendTo(url, {
        budgetMs: 60_000,
        firstWaitMs: 60_000,
        signal: interruption.signal,
        onRetry: () => interruption.abort(),
      })
      assert.notEqual(delivery.kind, 'delivered')
      assert(seen.length <= 2)
    })
  })
})
