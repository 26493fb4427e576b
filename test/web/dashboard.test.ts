import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { startFleet } from '../server/a-fleet.ts'
import { aBody, aFailure } from '../server/a-report.ts'
import { NO_POSTGRES, startPostgres } from '../server/postgres-cluster.ts'
import { type AppUnderTest, get, post, startTestApp } from '../server/start-app.ts'
import { startServer } from '../server/start-server.ts'
import { findChromium, startBrowser, visit } from './browser.ts'
import { startPrefixProxy } from './prefix-proxy.ts'
import { XSS_PAYLOADS } from './xss-payloads.ts'

const chromium = findChromium()
const DRIFTED = '/targets/rsyslog/drifted'

describe('the dashboard in Chromium', { skip: chromium === undefined && 'chromium is not installed' }, () => {
  let browser: Browser
  let fleet: AppUnderTest
  before(async () => {
    browser = await startBrowser(chromium ?? '')
    fleet = await startFleet()
  })
  after(async () => {
    await browser?.close()
    await fleet?.stop()
  })

  it('goes from nothing to the first report, to drift, to its file and back, without a reload', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    await using visitor = await visit(browser)
    const page = await visitor.open(app.url)
    await page.getByRole('heading', { name: 'Waiting for the first report' }).waitFor()
    await page.evaluate('window.stillTheSame = true')
    const command = await page.locator('pre code').textContent()
    assert.ok(command?.includes(`${app.url}/api/status`), command ?? '')
    await until(page, 'document.title === "gitops-status"')

    await post(app.url, aBody())
    await page.getByRole('row', { name: /Synced.*rsyslog-lab/ }).waitFor()
    const icon = await iconOf(page)

    app.advance(60)
    const diff = '--- a/rsyslog.conf\n+++ b/rsyslog.conf\n@@ -1 +1 @@\n-*.info @one\n+*.info @two\n'
    const facts = { expected: { mode: '0644' }, actual: { mode: '0600', owner: 'root' } }
    const file = { name: 'rsyslog.conf', path: '/etc/rsyslog.conf', change: 'modified', modified_by: 'eve', diff }
    const files = [{ ...file, ...facts }]
    await post(app.url, { ...aBody({ last_check: '2026-04-21T10:31:00Z' }), ...driftIn(files) })
    await until(page, 'document.title === "(1) gitops-status"')
    assert.notEqual(await iconOf(page), icon)
    await page.getByRole('row', { name: /Out of sync.*rsyslog-lab.*1 file.*rsyslog\.conf.*changed by eve/ }).waitFor()

    await page.getByRole('link', { name: 'rsyslog-lab' }).click()
    await page.getByText('/etc/rsyslog.conf').first().waitFor()
    assert.equal(new URL(page.url()).pathname, '/targets/rsyslog/rsyslog-lab')
    assert.match(await textOf(page, '.file'), /changed by eve/)
    assert.deepEqual(await page.locator('mark').allTextContents(), ['one', 'two'])
    assert.deepEqual(
      await page.locator('.differs').allTextContents(),
      ['mode06440600'],
      'one side alone is no difference',
    )
    assert.match(await textOf(page, '.facts-list'), /Drift began\s*after the check of .*\s*found by that of /)

    await page.goBack()
    await page.getByRole('row', { name: /rsyslog-lab/ }).waitFor()
    assert.equal(await page.evaluate('window.stillTheSame'), true)
    assert.deepEqual(visitor.mishaps, [])
  })

  it('keeps what is wished for in the address, so that it can be sent, reloaded and gone back to', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}/?status=UNKNOWN&cause=stale`)
    await found(page, '1 of 5 targets')
    await page.getByRole('row', { name: /silent/ }).waitFor()

    await page.getByRole('button', { name: /Unknown$/ }).click()
    await page
      .getByRole('button', { name: /No report|Stale$/ })
      .first()
      .click()
    await page.goto(fleet.url)
    await found(page, '5 targets')
    await page.getByRole('button', { name: /Out of sync$/ }).click()
    await found(page, '2 of 5 targets')
    await page.getByRole('searchbox').fill('nginx')
    await found(page, '1 of 5 targets')
    assert.equal(new URL(page.url()).search, '?q=nginx&status=OUT_OF_SYNC')

    await page
      .getByRole('row', { name: /owner\/web/ })
      .getByRole('link')
      .click()
    await page.getByText('not a file: a task').waitFor()
    assert.equal(new URL(page.url()).pathname, '/targets/owner%2Fweb/drifted')
    await page.reload()
    await page.getByText('not a file: a task').waitFor()
    await page.goBack()
    await found(page, '1 of 5 targets')
    assert.equal(await page.getByRole('searchbox').inputValue(), 'nginx')

    await page.goto(fleet.url)
    await page.locator('.share .UNKNOWN').click()
    await found(page, '2 of 5 targets')
    assert.equal(new URL(page.url()).search, '?status=UNKNOWN')
    await page.goto(fleet.url)
    await page.getByLabel('Changed by').selectOption('root')
    await found(page, '1 of 5 targets')
    assert.equal(new URL(page.url()).search, '?who=root')
    await page.getByRole('button', { name: 'Check failed' }).click()
    await found(page, '0 of 5 targets')
    assert.equal(new URL(page.url()).search, '?cause=check_failed&who=root')

    await page.getByRole('searchbox').fill('there is none')
    await page.getByRole('button', { name: 'Show everything' }).click()
    await found(page, '5 targets')
    await page.getByLabel('Group').selectOption('drift')
    await page.getByRole('row').filter({ hasText: 'nginx : reload' }).first().waitFor()
    await page.getByLabel('View').selectOption('tiles')
    await page.getByRole('listitem').first().waitFor()
    assert.equal(new URL(page.url()).search, '?group=drift&view=tiles')
    await page.getByLabel('Group').selectOption('none')
    await page.getByRole('listitem').filter({ hasText: 'silent' }).waitFor()
    await page.setViewportSize({ width: 768, height: 1_000 })
    await page.reload()
    await page.getByRole('listitem').filter({ hasText: 'silent' }).waitFor()
    assert.deepEqual(await overlaps(page), [])
    assert.deepEqual(visitor.mishaps, [])
  })

  it('says at once that the server is gone and as of when its data are, and goes on when it is back', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-web-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const database = join(directory, 'test.db')
    const server = await startServer({ database })
    const last_check = new Date().toISOString()
    await post(server.url, aBody({ last_check }))
    await using visitor = await visit(browser)
    const page = await visitor.open(server.url)
    await connection(page, /^Live$/)

    await server.end('SIGKILL')
    await connection(page, /^Reconnecting · data as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
    assert.equal(await page.getByRole('row', { name: /Synced.*rsyslog-lab/ }).count(), 1)

    const again = await startServer({ database, args: ['--port', new URL(server.url).port] })
    await post(again.url, aBody({ server: 'another', last_check }))
    await page.getByRole('row', { name: /another/ }).waitFor()
    await connection(page, /^Live$/)
    await again.end('SIGTERM')
    assert.deepEqual(visitor.mishaps, [])
  })

  it('says as of when its data are while the server cannot read its database, to who comes then, too', {
    skip: NO_POSTGRES,
  }, async (t) => {
    const cluster = await startPostgres()
    t.after(() => cluster.stop())
    const server = await startServer({ database: await cluster.newSchema() })
    t.after(() => server.process.kill('SIGKILL'))
    await post(server.url, aBody({ last_check: new Date().toISOString() }))
    await using visitor = await visit(browser)
    const page = await visitor.open(server.url)
    await connection(page, /^Live$/)

    await cluster.kill()
    await connection(page, /^Reconnecting · data as of /, 60_000) // it takes five seconds on a machine that is not busy
    await using late = await visit(browser)
    const latePage = await late.open(server.url)
    await connection(latePage, /^Reconnecting · data as of /)
    for (const one of [page, latePage]) await one.getByRole('row', { name: /Synced.*rsyslog-lab/ }).waitFor()

    const { generated_at } = (await get(server.url, '/status.json')).body
    const local = await page.evaluate(`(() => {
      const at = new Date('${generated_at}')
      return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
    })()`)
    assert.ok((await textOf(page, '.as-of')).includes(`${local}`), `${await textOf(page, '.as-of')} ${local}`)
    assert.deepEqual([...visitor.mishaps, ...late.mishaps], [])
  })

  it('keeps 10,000 targets out of the document but for those on the screen, and finds one of them', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    for (let batch = 0; batch < 10; batch++) {
      const numbers = Array.from({ length: 1_000 }, (_, n) => String(1_000 * batch + n).padStart(5, '0'))
      await post(
        app.url,
        numbers.map((n) => aBody({ server: `server-${n}`, files: n.endsWith('77') ? [{ name: 'a' }] : [] })),
      )
    }
    await using visitor = await visit(browser)
    const page = await visitor.open(app.url)
    await found(page, '10,000 targets')
    assert.equal(await page.title(), '(100) gitops-status')
    const rows = page.getByRole('row')
    assert.ok((await rows.count()) < 60, `${await rows.count()} rows`)

    await page.keyboard.press('End')
    await page.getByRole('row', { name: /server-09999/ }).waitFor()
    assert.ok((await rows.count()) < 60, `${await rows.count()} rows`)
    await page.getByRole('searchbox').fill('server-04277')
    await found(page, '1 of 10,000 targets')
    await page.getByRole('row', { name: /Out of sync.*server-04277/ }).waitFor()
    await page.getByLabel('View').selectOption('tiles')
    await page.getByRole('searchbox').fill('')
    await found(page, '10,000 targets')
    await page.getByRole('listitem').first().waitFor()
    assert.ok((await page.getByRole('listitem').count()) < 150)
    assert.deepEqual(visitor.mishaps, [])
  })

  it('fits into 360 pixels without scrolling sideways, on each page, whatever the names', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const long = `${'very-long-name-'.repeat(15)}end`
    const name = `${'directory/'.repeat(20)}${'x'.repeat(200)}.conf`
    await post(app.url, [
      aBody({ repo: long, server: long, revision: { commit: 'f'.repeat(40), branch: 'b'.repeat(100) } }),
      aBody({
        server: 'drifted',
        files: [{ name, path: `/etc/${name}`, modified_by: 'm'.repeat(100), diff: `-${name}` }],
      }),
      aFailure({ server: 'failed', error: { code: 'unreachable', message: 'm'.repeat(500) } }),
    ])
    await using visitor = await visit(browser, { viewport: { width: 360, height: 740 }, hasTouch: true })
    const page = await visitor.open(app.url)
    const targets = [`${long}/${long}`, 'rsyslog/drifted', 'rsyslog/failed'].map((path) => `/targets/${path}`)
    for (const path of [
      '/',
      '/?view=tiles',
      '/?group=drift&open=SYNCED,UNKNOWN',
      '/?group=drift&view=tiles&who=nobody',
      '/activity',
      ...targets,
      '/plain',
    ]) {
      await page.goto(app.url + path)
      await page.locator('h1').first().waitFor({ state: 'attached' })
      if (path.startsWith('/targets')) await page.getByText('Episodes of drift').waitFor()
      const width = await page.evaluate('document.documentElement.scrollWidth')
      assert.equal(width, 360, `${path} is ${width} pixels wide`)
    }
  })

  it('can be used with the keyboard alone', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(fleet.url)
    await found(page, '5 targets')
    const press = (...keys: string[]) =>
      keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), done())
    const path = () => new URL(page.url()).pathname

    await press('/')
    await page.keyboard.type('rsyslog/')
    await page.keyboard.press('Escape')
    await found(page, '5 targets')
    assert.equal(await page.getByRole('searchbox').inputValue(), '')

    await press('j', 'j', 'j', 'k')
    await page.locator('.selected').getByText('drifted', { exact: true }).waitFor()
    await press('Enter')
    await page.getByRole('heading', { name: 'drifted' }).waitFor()
    assert.equal(path(), DRIFTED)

    await press('?')
    await page.getByRole('dialog').waitFor()
    await press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.equal(path(), DRIFTED, 'Esc closes the help and nothing else')
    await press('Escape')
    await found(page, '5 targets')
    assert.equal(path(), '/')

    await page.reload()
    await found(page, '5 targets')
    await press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content')
    await press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'content')
    assert.equal(path(), '/')
    assert.deepEqual(visitor.mishaps, [])
  })

  it('is dark where the system is, or the reader says so, and keeps it', async () => {
    await using visitor = await visit(browser, { colorScheme: 'dark' })
    const page = await visitor.open(fleet.url)
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(await ground(), 'rgb(13, 17, 23)')
    const button = page.getByRole('button', { name: /^Colours/ })
    await button.click()
    await button.click()
    assert.equal(await ground(), 'rgb(255, 255, 255)')
    await page.reload()
    await button.waitFor()
    assert.equal(await ground(), 'rgb(255, 255, 255)')
    assert.match((await button.textContent()) ?? '', /light/)
  })

  it('names the zone of its times, or tells them in UTC, and keeps what the reader chose', async () => {
    await using visitor = await visit(browser, { timezoneId: 'Asia/Kolkata' })
    const page = await visitor.open(fleet.url)
    await page.getByRole('row', { name: /clean.*2026-04-21 16:00:00/ }).waitFor()
    await page.getByRole('columnheader', { name: 'Last check · UTC+05:30' }).waitFor()
    const title = await page.locator('.c-check time').first().getAttribute('title')
    assert.equal(title, '2026-04-21 15:00:00 UTC+05:30\n2026-04-21 09:30:00 UTC')

    await page.getByRole('button', { name: /^Times/ }).click()
    await page.getByRole('row', { name: /clean.*2026-04-21 10:30:00/ }).waitFor()
    await page.goto(fleet.url + DRIFTED)
    await page.locator('.headline').getByText('2026-04-21 10:29:50 UTC').waitFor()
    await page.getByLabel('Show it as it was at').fill('2026-04-21T09:32:00')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('As it was known on 2026-04-21 09:32:00 UTC.').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('at'), String(Date.parse('2026-04-21T09:32:00Z')))
    assert.deepEqual(visitor.mishaps, [])
  })

  it('shows a target as it was known at a moment in the past, and comes back to now', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}${DRIFTED}?at=${Date.parse('2026-04-21T09:10:00Z')}`)
    await page.getByText(/^As it was known on 2026-04-21/).waitFor()
    await page.locator('.headline').getByText('Unknown').waitFor()
    await page.getByText('No episode is known.').waitFor()
    await page.locator('.track .SYNCED').waitFor()
    assert.equal(await page.locator('.track .OUT_OF_SYNC').count(), 0, 'nothing is told of what came after')
    await page.goto(`${fleet.url}${DRIFTED}?at=${Date.parse('2026-04-21T09:32:00Z')}`)
    await page
      .getByRole('row', { name: /after the check of.*09:00:00 UTC.*2 min before that moment.*09:30:00 UTC.*not yet/ })
      .waitFor()
    await page.getByText(/^The past, not now/).waitFor()
    const then = /Out of sync\s*at that moment/
    await page.locator('.headline').filter({ hasText: then }).waitFor()
    await page.getByText(/^Fresh at that moment: .* next due at that moment$/).waitFor()
    assert.doesNotMatch(await textOf(page, '.facts-list'), / ago/)
    await page.getByRole('link', { name: 'What changed before it' }).click()
    await page.getByText(/^The past, not now/).waitFor()
    await page.locator('.activity').getByText('known 2 min before that moment').first().waitFor()
    await page.goBack()
    await page.getByRole('button', { name: '7 days' }).click()
    await page.getByRole('button', { name: '7 days', pressed: true }).waitFor()
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.getByText('As it was known on').waitFor({ state: 'hidden' })
    assert.equal(new URL(page.url()).search, '?days=7')
    await page.reload()
    await page.getByRole('button', { name: '7 days', pressed: true }).waitFor()
    await page.getByRole('button', { name: '1 day' }).click()
    await page.getByRole('button', { name: '1 day', pressed: true }).waitFor()
    await page.locator('.headline').getByText('Out of sync').waitFor()
    assert.equal(new URL(page.url()).search, '')
    await page.locator('.headline').getByText('changed on the server and in Git').waitFor()
    // Until the server is heard its clock, which stands in April here, is not known.
    const watched = /41 of 47 tasks watched, 6 only by the full check \d+ min ago/
    await page.locator('.facts-list').filter({ hasText: watched }).waitFor()
    await page.getByText('The fast check and the full check disagree: The full check found').waitFor()
    await page.locator('.file').getByText('waiting for deploy').waitFor()

    await page.getByRole('list', { name: 'What the colours mean' }).getByText('empty: nothing is known').waitFor()
    await page.getByText('As a table').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: /Nothing is known/ }).waitFor()
    await page
      .getByRole('row', { name: /Out of sync, 2 drifted files 1 check$/ })
      .first()
      .getByRole('button')
      .focus()
    await page.keyboard.press('Enter')
    await page.getByText(/As it was known on 2026-04-21/).waitFor()
    await page.locator('.headline').getByText('Out of sync').waitFor()
    await page.goBack()
    await page.getByText(/As it was known on/).waitFor({ state: 'hidden' })

    const track = page.locator('.track')
    await track.locator('.OUT_OF_SYNC').first().waitFor()
    assert.ok((await track.locator('.silent').count()) > 0, 'silence is drawn as silence')
    const { width = 0 } = (await track.boundingBox()) ?? {}
    await track.click({ position: { x: width - 2, y: 5 } })
    await page.getByText(/^As it was known on 2026-04-21/).waitFor()
    await page.goBack()
    await page.getByText(/^As it was known on/).waitFor({ state: 'hidden' })
    assert.deepEqual(visitor.mishaps, [])
  })

  it('tells of changes on the page of activity, and leads from there to the moment', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}/activity`)
    await page.getByRole('listitem').filter({ hasText: 'silent' }).first().waitFor()
    await page.getByLabel('Became').selectOption('OUT_OF_SYNC')
    await page.getByLabel('Became').blur()
    await page.keyboard.press('?')
    assert.deepEqual(await page.locator('.keys kbd').allTextContents(), ['/', 'Esc', '?'])
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('there is none')
    await page.getByText('Nothing of what changed matches.').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.activity li').nth(1).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('owner')
    await page.locator('.activity li').nth(1).waitFor({ state: 'detached' })
    assert.equal(new URL(page.url()).search, '?status=OUT_OF_SYNC&q=owner')
    await page.locator('.activity a').click()
    await page.getByText(/^As it was known on/).waitFor()
    assert.deepEqual(visitor.mishaps, [])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing on any page that axe calls serious or critical (${colorScheme})`, async (t) => {
      const empty = await startTestApp()
      t.after(() => empty.stop())
      await using visitor = await visit(browser, { colorScheme })
      const page = await visitor.open(empty.url)
      const pages = [
        `${empty.url}/`,
        ...[
          '/',
          '/?view=tiles&group=repo',
          '/?view=tiles&group=drift',
          '/?group=drift&open=SYNCED&freshness=FRESH',
          '/?q=there+is+none',
          '/activity',
          DRIFTED,
          '/targets/rsyslog/failed',
        ].map((path) => fleet.url + path),
        `${fleet.url}${DRIFTED}?at=${Date.parse('2026-04-21T09:40:00Z')}`,
        `${fleet.url}/targets/no/such`,
        `${fleet.url}/no/such/page`,
        `${fleet.url}/plain`,
      ]
      const found: string[] = []
      for (const url of pages) {
        await page.goto(url)
        await page.locator('h1').first().waitFor({ state: 'attached' })
        found.push(...(await violationsOn(page)).map((violation) => `${url.slice(empty.url.length)}: ${violation}`))
      }
      await page.goto(fleet.url)
      await page.getByRole('button', { name: 'Help' }).click()
      found.push(...(await violationsOn(page)).map((violation) => `help: ${violation}`))
      assert.deepEqual(found, [])
    })
  }

  it('runs none of sixty payloads, whichever field of a report or of an address they are in', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    await post(app.url, XSS_PAYLOADS.map(hostileDrift))
    app.advance(60)
    await using visitor = await visit(browser)
    const page = await visitor.open(app.url)
    await lookThrough(page)
    // What drift was last seen stays on show beside the failure: all texts of both reports at once.
    await post(app.url, XSS_PAYLOADS.map(hostileFailure))
    await page
      .getByRole('row', { name: /Check failed/ })
      .first()
      .waitFor()
    await lookThrough(page)
    for (const [n, payload] of XSS_PAYLOADS.entries()) {
      await go(page, `/targets/xss/target-${n}`)
      await page.locator('.file .name').getByText(payload, { exact: true }).waitFor()
      const text = encodeURIComponent(payload)
      await go(page, `/targets/${text}/${text}?at=${text}`)
      await go(page, `/?q=${text}&repo=${text}&server=${text}&status=${text}&group=drift&view=tiles`)
    }
    await page.goto(`${app.url}/plain`)
    await page.goto(`${app.url}/targets/%3Cscript%3Ehit(1)%3C%2Fscript%3E/b?at=%3Cscript%3Ehit(1)%3C%2Fscript%3E`)
    await page.locator('h1').waitFor()
    await page.goto(`${app.url}/?q=%3Cimg%20src%3Dx%20onerror%3Dhit(1)%3E`)
    await page.locator('h1').waitFor({ state: 'attached' })
    assert.deepEqual(visitor.mishaps, [])
    t.diagnostic(`${XSS_PAYLOADS.length} payloads in every field: 0 executed, 0 violations of the policy`)
  })

  it('shows what hides in a text or turns it, lets it turn nothing else, and copies what it is', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const name = 'photo_exe.\u202egpj'
    const hidden = { path: '/etc/a\u200bb', modified_by: '\u2067eve\u0007', diff: '@@\n-a\u00a0b\u202e\n+\u05d0 b\r\n' }
    const files = [{ name }, { name: 'a', actual: { owner: '\u202e' }, ...hidden }]
    await post(app.url, [
      { ...aBody(), ...driftIn(files), revision: { commit: 'c\u202e', branch: '\u2066b' } },
      aFailure({ server: 'failed', error: { code: 'x', message: 'one\u202e\ntwo\u0085' } }),
    ])
    await using visitor = await visit(browser)
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await visitor.open(app.url)
    await page.getByRole('row', { name: /failed.*Check failed: oneU\+202E twoU\+0085/ }).waitFor()
    const targets = ['rsyslog-lab', 'failed'].map((server) => `/targets/rsyslog/${server}`)
    for (const path of ['/', '/?group=drift&view=tiles', ...targets, '/plain']) {
      await page.goto(app.url + path)
      await page.getByText('U+202E').first().waitFor()
      assert.doesNotMatch(await page.content(), TURNING, path)
    }
    await page.goto(`${app.url}/targets/rsyslog/rsyslog-lab`)
    await page.locator('.file .name').getByText('photo_exe.U+202Egpj', { exact: true }).waitFor()
    assert.deepEqual(await page.locator('.difference .hidden-char').allTextContents(), ['U+00A0', 'U+202E', 'U+000D'])
    await page.getByRole('button', { name: 'Copy the path' }).first().click()
    await page.getByText('Copied').waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), name)
    const style = "getComputedStyle(document.querySelector('.file .name bdi'))"
    assert.equal(await page.evaluate(`${style}.unicodeBidi`), 'isolate')
    assert.deepEqual(visitor.mishaps, [])
  })

  it('keeps a page short that has thousands of files, names of 4,096 bytes, or an error of many lines', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const name = `/${'d'.repeat(3_000)}/${'e'.repeat(1_094)}`
    const files = Array.from({ length: 700 }, (_, n) => ({ name: n === 0 ? name : `file-${n}` }))
    await post(app.url, [
      aBody({ files }),
      aFailure({ server: 'failed', error: { code: 'x', message: 'first line\nsecond line' } }),
    ])
    await using visitor = await visit(browser)
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await visitor.open(`${app.url}/targets/rsyslog/rsyslog-lab`)
    await page.getByText('And 600 more files.').waitFor()
    assert.equal(await page.locator('.file').count(), 100)
    assert.ok(((await page.locator('.file').first().boundingBox())?.height ?? 0) < 200)
    await page.locator('.file').first().getByText('3,696 more characters').waitFor()
    await page.locator('.file').first().getByRole('button', { name: 'Copy the path' }).click()
    await page.getByText('Copied').waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), name)
    await page.getByRole('button', { name: 'Show 500 more' }).click()
    await page.getByText('And 100 more files.').waitFor()

    await page.goto(`${app.url}/targets/rsyslog/failed`)
    await page.locator('.headline + .problem').waitFor()
    const said = 'Whether the server matches Git is not known: the check failed.\nfirst line\nsecond line'
    assert.deepEqual(await page.locator('.headline + .problem').allInnerTexts(), [said])
    assert.deepEqual(visitor.mishaps, [])
  })

  it('follows the server once for all pages of a browser', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    await post(app.url, aBody())
    await using visitor = await visit(browser)
    const first = await visitor.open(app.url)
    await connection(first, /^Live$/)
    const second = await visitor.open(`${app.url}/activity`)
    await connection(second, /^Live$/)
    assert.equal(await streamsAt(app.url), 1)
    await post(app.url, aBody({ server: 'new' }))
    await first.getByRole('row', { name: /new/ }).waitFor()
    await second.getByRole('link', { name: 'Fleet' }).click()
    await second.getByRole('row', { name: /new/ }).waitFor()
    await first.close()
    await post(app.url, aBody({ server: 'newer' }))
    await second.getByRole('row', { name: /newer/ }).waitFor()
    assert.equal(await streamsAt(app.url), 1)
  })

  it('shows the page of every name that an address can hold', async () => {
    await using visitor = await visit(browser)
    const names = ['a;%3B?# b', 'c;%3B?# %25%/+&d'] as const
    const page = await visitor.open(`${fleet.url}/targets/${names.map(encodeURIComponent).join('/')}`)
    await page.getByRole('heading', { name: names[1], exact: true }).waitFor()
    assert.ok((await textOf(page, '.way')).includes(` / ${names[0]} / `))
    await page.getByText('There is no report of this target.').waitFor()
    await page.goto(`${fleet.url}/targets/a;b/c;d`)
    await page.getByRole('heading', { name: 'c;d', exact: true }).waitFor()
    assert.deepEqual(visitor.mishaps, [])
  })

  it('works below the path that a proxy puts before it', async () => {
    await using proxy = await startPrefixProxy('/tools/status', fleet.url)
    await using visitor = await visit(browser)
    const page = await visitor.open(`${proxy.url}/`)
    await connection(page, /^Live$/)
    await page
      .getByRole('row', { name: /owner\/web/ })
      .getByRole('link')
      .click()
    await page.getByText('not a file: a task').waitFor()
    assert.equal(new URL(page.url()).pathname, '/tools/status/targets/owner%2Fweb/drifted')
    await page.reload()
    await page.getByText('not a file: a task').waitFor()
    await page.getByRole('link', { name: 'Activity' }).click()
    await page.locator('.activity li').first().waitFor()
    assert.equal(new URL(page.url()).pathname, '/tools/status/activity')
    await page.goto(`${proxy.url}/no/such/page`)
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    await page.getByRole('link', { name: 'To the fleet' }).click()
    await found(page, '5 targets')
    assert.equal(new URL(page.url()).pathname, '/tools/status/')
    assert.deepEqual(proxy.strays, [])
    assert.deepEqual(visitor.mishaps, [])
  })

  it('leads to the plain page where no scripts run, which shows the same', async () => {
    await using visitor = await visit(browser, { javaScriptEnabled: false })
    const page = await visitor.open(`${fleet.url}${DRIFTED}`)
    await page.getByRole('link', { name: 'The page without scripts' }).click()
    await page.getByText('2 out of sync, 2 unknown, 1 synced').waitFor()
    assert.equal(new URL(page.url()).pathname, '/plain')
  })
})

function driftIn(files: readonly object[]) {
  return { sync_status: 'OUT_OF_SYNC', drift_count: files.length, files }
}

// Controls, and what turns the direction of text. In our own pages stand line ends alone.
const TURNING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/

// An address may hold quotes, but no space and no angle bracket.
const LINK = `https://x/'onmouseover='hit(1)'`

function textsOf(payload: string) {
  return {
    run_id: payload,
    revision: { commit: payload, branch: payload, url: LINK },
    pipeline: { url: LINK, event: payload },
    coverage: {
      ...{ checked: 1, total: 2, unchecked: [{ name: payload, reason: payload }] },
      ...{ watched: 0, unwatched: [{ name: payload, reason: payload }] },
    },
    check: { method: 'fast', disagreement: payload },
  }
}

function hostileDrift(payload: string, n: number) {
  const facts = { owner: payload, group: payload, type: payload }
  const file = {
    name: payload,
    path: payload,
    expected: facts,
    actual: { ...facts, mode: '0600' },
    modified_by: payload,
    diff: `--- ${payload}\n+++ ${payload}\n@@ ${payload}\n-${payload}a\n+${payload}b\n ${payload}`,
  }
  return { ...aBody({ repo: 'xss', server: `target-${n}` }), ...textsOf(payload), ...driftIn([file]) }
}

function hostileFailure(payload: string, n: number) {
  return {
    ...aFailure({ repo: 'xss', server: `target-${n}`, error: { code: 'x', message: `${payload}\n${payload}` } }),
    ...textsOf(payload),
    last_check: '2026-04-21T10:31:00Z',
  }
}

/** Brings every row on the screen once. */
async function lookThrough(page: Page): Promise<void> {
  await found(page, `${XSS_PAYLOADS.length} targets`)
  await page.evaluate('scrollTo(0, 0)')
  const last = page.locator(`[aria-rowindex="${XSS_PAYLOADS.length + 1}"]`)
  while ((await last.count()) === 0)
    await page.evaluate('new Promise((drawn) => { scrollBy(0, innerHeight); setTimeout(drawn, 20) })')
}

/** Goes there as a click on a link would. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`)
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))')
}

async function violationsOn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as axe.AxeResults
  return violations
    .filter(({ id }) => id !== 'meta-refresh' || !page.url().endsWith('/plain')) // it has no other way to stay true
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`)
}

/** Waits until something is true in the page. Not `waitForFunction`, whose `eval` the policy of the page refuses. */
async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(
    `new Promise((met) => { const look = () => (${condition}) ? met() : requestAnimationFrame(look); look() })`,
  )
}

async function found(page: Page, text: string): Promise<void> {
  await page.locator('.found').getByText(text, { exact: true }).waitFor()
}

async function connection(page: Page, words: RegExp, timeout = 10_000): Promise<void> {
  await page.locator('.connection').getByText(words).waitFor({ timeout })
}

/** Lines of the list that lie over the one before them. */
async function overlaps(page: Page): Promise<unknown> {
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
  return page.evaluate(`{
    const boxes = [...document.querySelectorAll('.shelf')].map((shelf) => shelf.getBoundingClientRect())
    boxes.flatMap(({ top }, n) => (n > 0 && top < boxes[n - 1].bottom - 1 ? [[n, top, boxes[n - 1].bottom]] : []))
  }`)
}

function iconOf(page: Page): Promise<string | null> {
  return page.locator('link[rel=icon]').getAttribute('href')
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).innerText()).replaceAll(/\s+/g, ' ')
}

async function streamsAt(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^gitops_status_stream_clients (\d+)$/m.exec(text)?.[1])
}

async function done(): Promise<void> {}
