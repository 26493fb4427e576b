import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openConnection } from '../../bench/load/connection.ts'
import { createResponseReader } from '../../bench/load/response-reader.ts'

const answer = fc
  .record({
    status: fc.constantFrom(200, 202, 422, 503),
    parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 }),
    isChunked: fc.boolean(),
  })
  .map(({ status, parts, isChunked }) => {
    const body = isChunked
      ? [...parts.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']), '0\r\n\r\n']
      : parts
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const header = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
    const head = `HTTP/1.1 ${status} So it is\r\nDate: today\r\n${header}\r\nX-Last: 1\r\n\r\n`
    return { status, bytes: Buffer.concat([head, ...body].map((part) => Buffer.from(part))) }
  })

describe('the reader of answers', () => {
  it('finds every answer and its status, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 5 }), fc.integer({ min: 1, max: 60 }), (answers, size) => {
        const seen: number[] = []
        const read = createResponseReader((status) => seen.push(status))
        const bytes = Buffer.concat(answers.map((one) => one.bytes))
        // The buffer is used again and longer than what was read, as a connection's is.
        const buffer = Buffer.alloc(100, '\r\n\r\n')
        for (let at = 0; at < bytes.length; at += size) read(buffer, bytes.copy(buffer, 0, at, at + size))

        assert.deepEqual(
          seen,
          answers.map(({ status }) => status),
        )
      }),
    )
  })

  it('refuses an answer whose end it cannot know', () => {
    const read = createResponseReader(() => {})
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
    assert.throws(() => read(bytes, bytes.length), /without a length/)
  })
})

describe('a connection', () => {
  it('says why it was lost', async () => {
    const server = createServer((request) => request.socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const lost = Promise.withResolvers<string>()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const connection = await openConnection(port, { onAnswer: () => {}, onLost: lost.resolve })
    connection.send(Buffer.from('GET / HTTP/1.1\r\nHost: there\r\n\r\n'))
    assert.match(await lost.promise, /connection closed|ECONNRESET/)
    server.close()
  })
})
