import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { aBody } from './a-report.ts'
import { type AppUnderTest, get, startTestApp } from './start-app.ts'

let app: AppUnderTest
before(async () => {
  app = await startTestApp()
})
after(() => app.stop())

// The first is taken before Fastify sees it, the second is not.
const PLAIN = 'application/json'
const OTHER = 'application/json; charset=utf-8'

/** What a client can see of an answer, less what differs each time. */
async function postAs(type: string, { path = '/api/status', body }: { path?: string; body: string | Buffer }) {
  const response = await fetch(app.url + path, { method: 'POST', headers: { 'content-type': type }, body })
  // Fastify hangs up after a body that it cannot read, although all of it has come.
  const { date, connection, 'keep-alive': kept, ...headers } = Object.fromEntries(response.headers)
  const text = (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
  headers['content-length'] = String(Buffer.byteLength(text))
  return { status: response.status, headers, text }
}

function lastLine() {
  const { level, fields, msg } = app.log.at(-1) ?? {}
  return { level, fields: { ...fields, request_id: typeof fields?.request_id }, msg }
}

async function sendPart(text: string): Promise<Socket> {
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

function requestOf(body: string, length = Buffer.byteLength(body)): string {
  return `POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Type: ${PLAIN}\r\nContent-Length: ${length}\r\n\r\n${body}`
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a plain post', () => {
  const BODIES: Record<string, { readonly body: string | Buffer; readonly path?: string }> = {
    'of a report': { body: JSON.stringify(aBody({ server: 'both' })) },
    'of a batch': { body: JSON.stringify([aBody({ server: 'both' }), aBody({ server: 'more' })]) },
    'to the other path': { body: JSON.stringify(aBody({ server: 'both' })), path: '/api/v1/status' },
    'of something that is not JSON': { body: '{"repo":' },
    'of bytes that are not UTF-8': { body: Buffer.from([0x22, 0xff, 0x22]) },
    'with a key twice': { body: '{"repo":"a","repo":"b"}' },
    'with wrong fields': { body: JSON.stringify({ ...aBody(), repo: 7, drift_count: -1 }) },
    'from the future': { body: JSON.stringify(aBody({ last_check: '2099-01-01T00:00:00Z' })) },
    'of nothing': { body: '' },
    'that is too large': { body: Buffer.alloc(8 * 1024 * 1024 + 1, ' ') },
    'in several pieces': { body: JSON.stringify(aBody({ server: 'both' })) + ' '.repeat(300_000) },
    'with a query': { body: JSON.stringify(aBody({ server: 'both' })), path: '/api/status?token=x' },
  }
  for (const [what, request] of Object.entries(BODIES)) {
    it(`${what} is answered and logged as any other`, async () => {
      await postAs(OTHER, request) // both of the others find the same before them
      const other = await postAs(OTHER, request)
      const otherLine = lastLine()
      const plain = await postAs(PLAIN, request)
      assert.deepEqual(plain, other)
      assert.deepEqual(lastLine(), otherLine)
    })
  }

  it('is counted as any other', async () => {
    const counted = async () => {
      const text = await (await fetch(`${app.url}/metrics`)).text()
      return Number(
        /^gitops_status_http_requests_total\{route="\/api\/status",.*status="200"\} (\d+)$/m.exec(text)?.[1],
      )
    }
    const before = await counted()
    await postAs(PLAIN, { body: JSON.stringify(aBody()) })
    await postAs(OTHER, { body: JSON.stringify(aBody()) })
    assert.equal(await counted(), before + 2)
  })

  it('whose sender hangs up in the middle is refused once, and nothing of it is stored', async () => {
    const before = app.log.length
    const socket = await sendPart(requestOf(JSON.stringify(aBody({ server: 'half' })), 10_000))
    socket.end()
    await until(() => app.log.length > before)
    assert.deepEqual(
      app.log.slice(before).map(({ level, fields }) => [level, fields.status, fields.fault]),
      [['warn', 400, 'bad_request']],
    )
    assert.equal((await get(app.url, '/status.json?server=half')).body.target_count, 0)
  })

  it('whose sender does not wait for the answer is stored', async () => {
    const before = app.log.length
    const socket = await sendPart(requestOf(JSON.stringify(aBody({ server: 'impatient' }))))
    socket.resetAndDestroy()
    await until(() => app.log.length > before)
    assert.deepEqual(
      app.log.slice(before).map(({ fields }) => fields.status),
      [200],
    )
    assert.equal((await get(app.url, '/status.json?server=impatient')).body.target_count, 1)
  })

  it('gets an answer of its own when several come in one piece', async () => {
    const bodies = ['p', 'q', 'r'].map((server) => requestOf(JSON.stringify(aBody({ server }))))
    const socket = await sendPart(bodies.join(''))
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    await until(() => answer.split('HTTP/1.1 200 OK').length === 4)
    socket.destroy()
  })
})

describe('a server that stops', () => {
  it('tells who posts that the connection ends', async () => {
    const leaving = Promise.withResolvers<void>()
    const stopping = await startTestApp({ wait: () => leaving.promise })
    const stopped = stopping.stop()
    const body = JSON.stringify(aBody())
    const headers = { 'content-type': PLAIN }
    const answer = await fetch(`${stopping.url}/api/status`, { method: 'POST', headers, body })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('connection'), 'close')
    leaving.resolve()
    await stopped
  })
})
