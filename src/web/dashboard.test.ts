import assert from 'node:assert/strict'
import { get, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startFleet } from '../../test/server/a-fleet.ts'
import type { AppUnderTest } from '../../test/server/start-app.ts'
import { startPrefixProxy } from '../../test/web/prefix-proxy.ts'
import { DASHBOARD_POLICY, readDashboard } from './dashboard.ts'

const PAGES = {
  '/': './',
  '/activity': './',
  '/targets/owner%2Fweb/drifted': '../../',
  '/targets/owner%2Fweb/drifted?at=1': '../../',
}

// What a phone on a bad line has to load before it shows anything.
const MAX_FIRST_LOAD_BYTES = 200_000

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** As it is on the wire: `fetch` would unpack it. */
function ask(url: string | URL, { method = 'GET', encoding = '' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { method, headers: encoding === '' ? {} : { 'accept-encoding': encoding } }, (response) => {
      const { statusCode: status = 0, headers } = response
      buffer(response).then((body) => resolve({ status, headers, body }), reject)
    }).on('error', reject)
  })
}

/** The addresses that a page names, as a browser would ask for them. */
function addressesIn(html: string, pageUrl: string): string[] {
  const base = new URL(/<base href="([^"]+)">/.exec(html)?.[1] ?? '', pageUrl)
  return [...html.matchAll(/(?:src|href|data-worker)="([^"]*assets\/[^"]+)"/g)].map(
    ([, path = '']) => new URL(path, base).href,
  )
}

describe('the dashboard', () => {
  let app: AppUnderTest
  before(async () => {
    app = await startFleet()
  })
  after(() => app.stop())

  for (const [path, base] of Object.entries(PAGES)) {
    it(`is at ${path}, says where the product begins, and may run nothing but its own files`, async () => {
      const { status, headers, body } = await ask(app.url + path)
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.ok(body.includes(`<base href="${base}">`))
      const policy = String(headers['content-security-policy'])
      assert.ok(policy.startsWith("default-src 'none'; script-src 'self'; "), policy)
      assert.doesNotMatch(policy, /unsafe|\*|https?:/)
      assert.ok(policy.includes("frame-ancestors 'none'"))
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.doesNotMatch(body.toString(), /<script>|<style| style=| on[a-z]+=|https?:\/\//)
    })

    it(`answers HEAD ${path} like GET, without the page`, async () => {
      const [head, whole] = [await ask(app.url + path, { method: 'HEAD' }), await ask(app.url + path)]
      assert.equal(head.status, 200)
      assert.equal(head.body.length, 0)
      assert.equal(head.headers['content-length'], String(whole.body.length))
      assert.equal(head.headers['content-security-policy'], whole.headers['content-security-policy'])
    })
  }

  const NAVIGATION = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
  const MISSING = { '/nonsense': './', '/a/b/c?d=/e': '../../', '/targets/no/such': '../../', '/targets/no': '../' }
  for (const [path, base] of Object.entries(MISSING)) {
    it(`shows people the way on from ${path}, and tells programs that there is nothing`, async () => {
      const page = await fetch(app.url + path, { headers: NAVIGATION })
      assert.equal(page.status, 404)
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.equal(page.headers.get('content-security-policy'), DASHBOARD_POLICY)
      assert.ok((await page.text()).includes(`<base href="${base}">`))
      for (const init of [{}, { headers: NAVIGATION, method: 'POST', body: '{}' }]) {
        const answer = await fetch(app.url + path, init)
        assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
        assert.ok(answer.status === 404 || answer.status === 405)
      }
    })
  }

  it('leaves the API and the files to programs, also in a browser', async () => {
    for (const path of ['/api/v1/targets/no/such', '/api/nonsense', '/assets/none.js']) {
      const answer = await fetch(app.url + path, { headers: NAVIGATION })
      assert.equal(answer.status, 404)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
    }
  })

  it('consists of files that are kept for ever, packed for who can unpack them', async () => {
    const { body } = await ask(app.url)
    const addresses = addressesIn(body.toString(), `${app.url}/`)
    assert.equal(addresses.length, 4)
    let firstLoad = body.length
    for (const address of addresses) {
      const [packed, plain] = [await ask(address, { encoding: 'br, gzip' }), await ask(address)]
      for (const { status, headers } of [packed, plain]) {
        assert.equal(status, 200, address)
        assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
        assert.equal(headers.vary, 'accept-encoding')
        assert.match(String(headers['content-type']), /^text\/(javascript|css); charset=utf-8$/)
      }
      assert.deepEqual([packed.headers['content-encoding'], plain.headers['content-encoding']], ['gzip', undefined])
      assert.deepEqual(gunzipSync(packed.body), plain.body)
      firstLoad += packed.body.length
    }
    assert.ok(firstLoad <= MAX_FIRST_LOAD_BYTES, `${firstLoad} bytes`)
  })

  it('answers HEAD for a file like GET', async () => {
    const [address = ''] = addressesIn((await ask(app.url)).body.toString(), `${app.url}/`)
    for (const encoding of ['', 'gzip']) {
      const [head, whole] = [await ask(address, { method: 'HEAD', encoding }), await ask(address, { encoding })]
      assert.deepEqual([head.status, head.body.length], [200, 0])
      assert.equal(head.headers['content-length'], String(whole.body.length))
    }
  })

  for (const name of [
    'no-such.js',
    'main.js',
    '..%2fpage.html',
    '%2e%2e/page.html',
    '__proto__',
    'constructor',
    '%00',
  ]) {
    it(`has no file ${name}: 404, as a problem that nobody keeps for ever`, async () => {
      const { status, headers } = await ask(`${app.url}/assets/${name}`)
      assert.ok(status === 404 || status === 400, String(status))
      assert.match(String(headers['content-type']), /^application\/problem\+json/)
      assert.doesNotMatch(String(headers['cache-control']), /immutable/)
    })
  }

  it('finds all it consists of below any path that a proxy puts before it', async () => {
    await using proxy = await startPrefixProxy('/status', app.url)
    for (const path of Object.keys(PAGES)) {
      const url = proxy.url + path
      const addresses = addressesIn((await ask(url)).body.toString(), url)
      assert.equal(addresses.length, 4)
      for (const address of addresses) assert.equal((await ask(address)).status, 200, address)
    }
    assert.deepEqual(proxy.strays, [])
  })

  it('is not there where nobody built it', () => {
    assert.equal(readDashboard(new URL('no-such/', import.meta.url)), null)
  })
})
