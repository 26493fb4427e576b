import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { aBody } from './a-report.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

let app: AppUnderTest
before(async () => {
  app = await startTestApp()
  const unwatched = Array.from({ length: 47 }, (_, n) => ({ name: `task ${n}`, reason: 'no_path' }))
  const coverage = { checked: 47, total: 47, unchecked: [], watched: 0, unwatched }
  await post(app.url, [
    aBody({ server: 'blind', coverage }),
    aBody(),
    aBody({ server: 'web-01', files: [{ name: 'a' }, { name: 'b' }] }),
  ])
})
after(() => app.stop())

describe('a badge', () => {
  const SAID: Record<string, string> = {
    '': 'out of sync (1 of 3)',
    '?server=blind': 'synced (0 of 47 watched)',
    '?server=blind,rsyslog-lab': 'synced (1 of 2 in part)',
    '?server=rsyslog-lab': 'synced',
    '?repo=rsyslog&server=web-01': 'out of sync (2)',
    '?server=nobody': 'never reported',
    '?server=rsyslog-lab&status=OUT_OF_SYNC': 'synced',
  }
  for (const [query, message] of Object.entries(SAID)) {
    it(`of "${query}" says "${message}", as a picture and in JSON`, async () => {
      const { status, body } = await get(app.url, `/badge.json${query}`)
      assert.deepEqual([status, body.schemaVersion, body.label, body.message], [200, 1, 'gitops', message])

      const picture = await fetch(`${app.url}/badge.svg${query}`)
      assert.equal(picture.status, 200)
      assert.ok((await picture.text()).includes(`<title>gitops: ${message}</title>`))
    })
  }

  it('in JSON is as the documents show it', async () => {
    const shown = /^\{ "label".*$/m.exec(readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8'))?.[0]
    assert.deepEqual((await get(app.url, '/badge.json?server=web-01')).body, JSON.parse(shown ?? ''))
  })

  it('has the label that it is given, as text', async () => {
    const response = await fetch(`${app.url}/badge.svg?server=rsyslog-lab&label=${encodeURIComponent('<b>&"')}`)
    assert.match(await response.text(), /<title>&lt;b&gt;&amp;&quot;: synced<\/title>/)
  })

  it('is kept by no cache, can be shown anywhere and can do nothing', async () => {
    const { headers } = await fetch(`${app.url}/badge.svg`)
    assert.equal(headers.get('content-type'), 'image/svg+xml')
    assert.equal(headers.get('cache-control'), 'no-cache, no-store, max-age=0, must-revalidate')
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; style-src 'unsafe-inline'; sandbox")
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
  })

  it('of a variable that was not replaced is refused', async () => {
    assert.equal((await get(app.url, `/badge.json?server=$${'{server}'}`)).status, 400)
  })
})
