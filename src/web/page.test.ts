import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { aBody, aFailure } from '../../test/server/a-report.ts'
import { type AppUnderTest, post, startTestApp } from '../../test/server/start-app.ts'

let app: AppUnderTest
before(async () => {
  app = await startTestApp()
})
after(() => app.stop())

async function page(headers: Record<string, string> = {}) {
  const response = await fetch(`${app.url}/plain`, { headers })
  return { html: await response.text(), headers: response.headers }
}

describe('the page without scripts', () => {
  it('shows the curl to try for this address while nothing has reported', async () => {
    const { html } = await page()
    assert.match(html, /Waiting for the first report/)
    assert.ok(html.includes(`${app.url}/api/status`))
    assert.match(html, /last_check&quot;:&quot;2026-04-21T10:30:00Z/)
  })

  it('lists targets worst first, each with icon, word, drift, files and times', async () => {
    await post(app.url, [
      aBody({ server: 'fine' }),
      aBody({ server: 'drifted', files: [{ name: 'rsyslog.conf' }, { name: 'rsyslog.d/30-lab.conf' }] }),
      aFailure({ server: 'broken', error: { code: 'unreachable', message: 'No route to <host>' } }),
    ])
    app.advance(65)
    const { html } = await page()

    assert.match(html, /1 out of sync, 1 unknown, 1 synced/)
    assert.match(
      html,
      /✗ OUT_OF_SYNC.*drifted.*<td data-label="Drift">2<\/td>.*rsyslog\.conf.*rsyslog\.d\/30-lab\.conf.*65 s ago.*2026-04-21 10:30:00 UTC/,
    )
    assert.match(html, /\? UNKNOWN.*check failed: <bdi>No route to &lt;host&gt;/)
    assert.ok(html.indexOf('drifted') < html.indexOf('broken') && html.indexOf('broken') < html.indexOf('fine'))
  })

  it('says how a file differs, and when a SYNCED looked at a part only', async () => {
    await post(app.url, [
      aBody({ server: 'drifted-how', files: [{ name: '.hidden', change: 'extra' }] }),
      aBody({ server: 'partly', coverage: { checked: 5, total: 7, unchecked: [] } }),
      aBody({ server: 'undecided', check: { method: 'full', disagreement: 'in <b>one</b> file' } }),
    ])
    const { html } = await page()

    assert.match(html, /<code><bdi>\.hidden<\/bdi><\/code> <small>extra: not in Git<\/small>/)
    assert.match(html, /✓ SYNCED<\/span><small class="why">5 of 7 checked<\/small>.*partly/)
    assert.match(html, /✓ SYNCED<\/span><small class="why">the fast and the full check disagree<\/small>.*undecided/)
  })

  const PAYLOADS = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</style><script>',
    '&lt;script&gt;',
    '\u202egpj.exe',
    '\u0085a\u200bb',
  ]
  for (const payload of PAYLOADS) {
    it(`shows ${JSON.stringify(payload)} as text`, async () => {
      await post(app.url, aBody({ server: 'xss', files: [{ name: payload }], run_id: payload }))
      await post(app.url, aFailure({ server: 'xss2', error: { code: 'x', message: payload } }))
      const { html } = await page()
      assert.ok(!html.includes(payload) || payload === '')
      assert.doesNotMatch(html, /<script|<img|onerror=alert\(1\)>/)
    })
  }

  it('shows what hides in a name or turns it by its code, apart from what is around it', async () => {
    await post(app.url, aBody({ server: 'hidden', files: [{ name: 'photo_exe.\u202egpj' }] }))
    const { html } = await page()
    assert.match(html, /<code><bdi>photo_exe\.<b class="hidden-char">U\+202E<\/b>gpj<\/bdi><\/code>/)
  })

  it('may load and run nothing but its own style', async () => {
    const { html, headers } = await page()
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = headers.get('content-security-policy') ?? ''
    assert.ok(policy.startsWith("default-src 'none'; "))
    assert.ok(policy.includes(`style-src 'sha256-${hash}'`))
    assert.ok(policy.includes("frame-ancestors 'none'"))
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.doesNotMatch(html, / style=| on[a-z]+=/)
  })

  it('shows the worst five hundred of a fleet, counts all, and says how many more there are', async () => {
    const large = await startTestApp()
    const servers = Array.from({ length: 600 }, (_, n) => `server-${String(n).padStart(3, '0')}`)
    await post(
      large.url,
      servers.map((server, n) => aBody({ server, files: n === 599 ? [{ name: 'rsyslog.conf' }] : [] })),
    )

    const html = await (await fetch(`${large.url}/plain`)).text()
    await large.stop()

    assert.match(html, /<title>\(1\) gitops-status/)
    assert.match(html, /1 out of sync, 0 unknown, 599 synced\./)
    assert.match(html, /And 100 more, none of them worse/)
    assert.ok(html.indexOf('server-599') < html.indexOf('server-000'))
    assert.deepEqual([html.includes('server-498'), html.includes('server-499')], [true, false])
  })
})
