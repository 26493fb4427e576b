import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { aBody } from './a-report.ts'
import { type AppUnderTest, post, startTestApp } from './start-app.ts'

interface Raw {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Buffer
}

/** fetch() would ask for compression, and decompress, by itself. */
function rawGet(url: string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
      .on('error', reject)
      .end()
  })
}

describe('/status.json on the wire', () => {
  let app: AppUnderTest
  let url: string
  before(async () => {
    app = await startTestApp()
    url = `${app.url}/status.json`
    await post(
      app.url,
      Array.from({ length: 20 }, (_, n) => aBody({ server: `server-${n}` })),
    )
  })
  after(() => app.stop())

  it('is compressed for those who can read gzip, and for nobody else', async () => {
    const plain = await rawGet(url)
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.equal(plain.headers.vary, 'accept-encoding')
    assert.equal(JSON.parse(plain.body.toString()).target_count, 20)

    for (const accepts of ['gzip', 'deflate, gzip;q=1.0, *;q=0.5', 'br,gzip', 'GZIP']) {
      const { headers, body } = await rawGet(url, { 'accept-encoding': accepts })
      assert.equal(headers['content-encoding'], 'gzip', accepts)
      assert.deepEqual(gunzipSync(body), plain.body)
    }
    for (const accepts of ['br', 'identity', 'gzip;q=0', 'gzip;q=0.0, br', 'x-gzip-like']) {
      assert.equal((await rawGet(url, { 'accept-encoding': accepts })).headers['content-encoding'], undefined, accepts)
    }
  })

  it('is not sent again to those who have it, until something has changed', async () => {
    const first = await rawGet(url)
    const etag = String(first.headers.etag)
    const again = await rawGet(url, { 'if-none-match': etag })
    assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, etag])

    await post(app.url, aBody({ server: 'server-1', last_check: '2026-04-21T10:31:00Z' }))
    const other = await rawGet(url, { 'if-none-match': etag })
    assert.equal(other.status, 200)
    assert.notEqual(other.headers.etag, etag)
  })
})
