import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { ReportBody } from '../../src/contract/report.ts'
import { startFleet } from '../server/a-fleet.ts'
import { aBody } from '../server/a-report.ts'
import { type AppUnderTest, post, startTestApp } from '../server/start-app.ts'
import { findChromium, startBrowser, visit } from './browser.ts'

const chromium = findChromium()

describe('the page of the fleet in Chromium', { skip: chromium === undefined && 'chromium is not installed' }, () => {
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

  for (const [width, view] of [
    [360, 'table'],
    [1_280, 'tiles'],
  ] as const) {
    it(`is come back to as it was left, from wherever one went: the ${view}, ${width} pixels wide`, async (t) => {
      const app = await startTestApp()
      t.after(() => app.stop())
      const servers = Array.from({ length: 300 }, (_, n) => `server-${String(n).padStart(3, '0')}`)
      await post(
        app.url,
        servers.map((server, n) => aBody({ server, files: n < 150 ? driftOf(n % 5) : [] })),
      )
      await using visitor = await visit(browser, { viewport: { width, height: 800 } })
      const page = await visitor.open(`${app.url}/?status=OUT_OF_SYNC${view === 'tiles' ? '&view=tiles' : ''}`)
      await found(page, '150 of 300 targets')
      const left = page.url()
      await page.evaluate('scrollTo(0, 3_000)')
      const link = page.getByRole('link', { name: /server-/ }).nth(view === 'tiles' ? 28 : 9)
      await link.scrollIntoViewIfNeeded()
      await untilStill(page)
      const server = (await link.textContent()) ?? ''
      const top = await topOf(page, server)

      const ways: Record<string, () => Promise<unknown>> = {
        'the key Esc': () => page.keyboard.press('Escape'),
        'the crumb': () => page.locator('.way').getByRole('link', { name: 'Fleet' }).click(),
        'the tab': () => page.getByRole('navigation').getByRole('link', { name: 'Fleet' }).click(),
        'the way back': () => page.goBack(),
        async 'the key Esc after another page'() {
          await page.getByRole('link', { name: 'Activity' }).click()
          await page.getByRole('heading', { name: 'Activity' }).waitFor()
          await page.keyboard.press('Escape')
        },
        async 'the crumb after a reload of a moment in the past'() {
          await page.getByLabel('Show it as it was at').fill('2026-04-21T09:32:00')
          await page.getByRole('button', { name: 'Show', exact: true }).click()
          await page.reload()
          await page.getByText(/^As it was known on/).waitFor()
          await page.locator('.way').getByRole('link', { name: 'Fleet' }).click()
        },
      }
      for (const [way, go] of Object.entries(ways).slice(0, view === 'tiles' ? 1 : undefined)) {
        await page.getByRole('link', { name: server, exact: true }).click()
        await page.getByRole('heading', { name: server }).waitFor()
        assert.ok((await page.evaluate<number>('scrollY')) < 10, 'its page begins at the top')
        await go()
        await page.getByRole('link', { name: server, exact: true }).waitFor()
        assert.equal(page.url(), left, way)
        await untilStill(page)
        assert.ok(
          Math.abs((await topOf(page, server)) - top) <= 2,
          `${way}: ${top} became ${await topOf(page, server)}`,
        )
      }

      await page.getByRole('link', { name: 'gitops-status' }).click()
      await found(page, '300 targets')
      assert.equal(await page.evaluate('scrollY'), 0, 'the name of the product leads to all of the fleet')
      assert.deepEqual(visitor.mishaps, [])
    })
  }

  it('is whole for who came by a link to a target', async () => {
    for (const path of ['/targets/rsyslog/drifted', '/activity']) {
      await using visitor = await visit(browser)
      const page = await visitor.open(fleet.url + path)
      await page.locator('h1').waitFor()
      await page.keyboard.press('Escape')
      await found(page, '5 targets')
      assert.equal(page.url(), `${fleet.url}/`)
    }
  })

  it('takes back one choice after the other when one goes back, and no letters', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}/`)
    await page.getByRole('button', { name: /Unknown$/ }).click()
    await page.getByLabel('Group').selectOption('repo')
    await page.getByRole('searchbox').pressSequentially('rsyslog')
    await page.getByRole('button', { name: /Stale/ }).click()
    assert.equal(query(page), '?q=rsyslog&status=UNKNOWN&freshness=STALE&group=repo')
    for (const before of ['?q=rsyslog&status=UNKNOWN&group=repo', '?status=UNKNOWN', '']) {
      await page.goBack()
      assert.equal(query(page), before)
    }
    await found(page, '5 targets')
    assert.deepEqual(visitor.mishaps, [])
  })

  it('counts on each filter what it would show beside the others, and tells it from the whole fleet', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}/`)
    await found(page, '5 targets')
    assert.deepEqual(await numbers(page), [
      '2 Out of sync',
      '2 Unknown',
      '1 Synced',
      '1 Stale',
      '1 Check failed',
      '1 Changed on the server and in Git',
    ])
    assert.equal(await page.getByText('the whole fleet').count(), 0)

    await page.getByLabel('Repository').selectOption('owner/web')
    await found(page, '1 of 5 targets')
    assert.deepEqual(await numbers(page), [
      '1 of 2 Out of sync',
      '0 of 2 Unknown',
      '0 of 1 Synced',
      '0 of 1 Stale',
      '0 of 1 Check failed',
      '0 of 1 Changed on the server and in Git',
    ])
    assert.deepEqual(await page.getByLabel('Server').locator('option').allTextContents(), [
      'All servers',
      'clean (0)',
      'drifted (1)',
      'failed (0)',
      'silent (0)',
    ])
    await page.getByText('“of” is the whole fleet').waitFor()
    await page.getByRole('button', { name: 'Show everything' }).click()
    await found(page, '5 targets')
    assert.deepEqual(visitor.mishaps, [])
  })

  it('shows every filter that is set, so that it can be taken away', async () => {
    await using visitor = await visit(browser)
    const page = await visitor.open(`${fleet.url}/?freshness=FRESH&cause=stale&repo=none&server=such&who=nobody`)
    await found(page, '0 of 5 targets')
    await page.getByRole('button', { name: /Fresh/, pressed: true }).click()
    await page.getByRole('button', { name: /Silent/, pressed: true }).click()
    for (const label of ['Repository', 'Server', 'Changed by']) await page.getByLabel(label).selectOption('')
    await found(page, '5 targets')
    assert.equal(query(page), '')
    await page.getByRole('button', { name: /Fresh/ }).waitFor({ state: 'hidden' })
  })

  it('finds who changed a file also where a row has no room for the name', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const by = (...persons: string[]) =>
      persons.map((modified_by, n) => ({ name: `file-${n}`, change: 'modified' as const, modified_by }))
    await post(app.url, [
      aBody({ server: 'many', files: by('ann', 'bob', 'cat', 'mallory & co') }),
      aBody({ server: 'others', files: by('ann', 'bob', 'cat', 'dan') }),
      aBody({ server: 'one', files: by('mallory & co') }),
    ])
    await using visitor = await visit(browser)
    const page = await visitor.open(`${app.url}/?who=mallory+%26+co`)
    await page.getByRole('row', { name: /many/ }).waitFor()
    await found(page, '2 of 3 targets')
    assert.equal(await page.getByRole('row', { name: /others/ }).count(), 0)
    assert.deepEqual(visitor.mishaps, [])
  })

  it('tells of each difference once, by the same drift, and names or unfolds the servers that have it', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const servers = Array.from({ length: 7 }, (_, n) => `web-${n}`)
    const first = { last_check: '2026-04-21T10:28:00Z', cause: 'SERVER_CHANGED' as const }
    await post(app.url, [
      ...servers.map((server, n) =>
        aBody({ server, files: driftOf(1, n === 2 ? 'eve' : undefined), ...(n < 2 && first) }),
      ),
      aBody({ server: 'alone', files: driftOf(2) }),
      aBody({ server: 'fine' }),
    ])
    await using visitor = await visit(browser)
    const page = await visitor.open(`${app.url}/?group=drift`)
    const card = page.locator('.card').first()
    await card.getByText('mode 0644 → 0601').waitFor()
    assert.equal(
      (await textOf(card)).replace(/\d+ min ago/, '… ago'),
      'The same change on 7 targets, as far as their reports say rsyslog.d/30-lab.conf content, mode 0644 → 0601 first found … ago 2026-04-21 10:28:00 UTC' +
        ' · 2 changed on the server · changed by eve web-0, web-1, web-2 and 4 more',
    )
    assert.deepEqual(await page.locator('.fold').allTextContents(), [
      'The same change on 7 targets, as far as their reports say',
      'A change on 1 target',
      'Synced: 1 target',
    ])
    assert.equal(await page.locator('.line.target').count(), 0)

    await card.getByRole('button', { name: '4 more' }).click()
    await page.getByRole('row', { name: /web-6/ }).waitFor()
    assert.match(query(page), /^\?group=drift&open=[\w-]{12}$/)
    await page.reload()
    await page.getByRole('row', { name: /web-6/ }).waitFor()
    await page.getByRole('link', { name: 'web-6' }).click()
    await page.getByRole('heading', { name: 'web-6' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('row', { name: /web-6/ }).waitFor()

    await page
      .getByRole('button', { name: 'The same change on 7 targets, as far as their reports say', expanded: true })
      .press('Enter')
    await page.getByRole('row', { name: /web-6/ }).waitFor({ state: 'detached' })
    await page.evaluate('document.activeElement.blur()')
    for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key)
    await page.locator('.line.target').getByText('alone').waitFor()
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: /web-6/ }).waitFor()
    assert.deepEqual(visitor.mishaps, [])
  })

  it('has no status bare that stands on a part, and says of each tile how fresh it is', async (t) => {
    const app = await startTestApp()
    t.after(() => app.stop())
    const watching = (server: string, watched: number, checked = 47) =>
      aBody({
        server,
        coverage: {
          checked,
          total: 47,
          unchecked: unchecked(47 - checked),
          watched,
          unwatched: unchecked(checked - watched),
        },
      })
    await post(app.url, [watching('blind', 0), watching('most', 41), watching('all', 47), watching('part', 40, 40)])
    app.advance(200)
    await post(app.url, aBody({ server: 'now', last_check: '2026-04-21T10:33:20Z' }))
    await using visitor = await visit(browser)
    const page = await visitor.open(`${app.url}/`)
    const status = (server: string) => page.getByRole('row', { name: new RegExp(server) }).locator('.c-status')
    await status('now').waitFor()
    assert.equal(await textOf(status('blind')), 'Synced Late 0 of 47 watched')
    assert.equal(await textOf(status('most')), 'Synced Late 41 of 47 watched')
    assert.equal(await textOf(status('all')), 'Synced Late')
    assert.equal(await textOf(status('part')), 'Synced Late only 40 of 47 checked')
    assert.equal(await textOf(status('now')), 'Synced')

    await page.getByLabel('View').selectOption('tiles')
    const tile = page.getByRole('listitem').filter({ hasText: 'blind' })
    assert.match(await textOf(tile), /Synced Late 0 of 47 watched .* checked 3 min ago 2026-04-21 10:30:00$/)
    assert.equal(await tile.locator('.mark .icon').count(), 1, 'late is a picture and a word')
    assert.match(await textOf(page.getByRole('listitem').filter({ hasText: 'now' })), /checked just now/)
    assert.deepEqual(visitor.mishaps, [])
  })

  it('says in words what its buttons change', async () => {
    await using visitor = await visit(browser, { timezoneId: 'UTC' })
    const page = await visitor.open(`${fleet.url}/`)
    for (const [name, words] of [
      [/^Times: local/, '◷ Times: local'],
      [/^Colours: system/, '◐ Colours: system'],
    ] as const) {
      const button = page.getByRole('button', { name })
      assert.equal(await button.innerText(), words)
      assert.match((await button.getAttribute('title')) ?? '', /\. Change to (UTC|dark)$/)
    }
  })
})

function driftOf(n: number, modified_by?: string): ReportBody['files'] {
  const [expected, actual] = [{ mode: '0644' }, { mode: `060${n}` }]
  return [{ name: 'rsyslog.d/30-lab.conf', change: 'modified', expected, actual, ...(modified_by && { modified_by }) }]
}

function unchecked(count: number) {
  return Array.from({ length: count }, (_, n) => ({ name: `task ${n}`, reason: 'no_path' }))
}

async function found(page: Page, text: string): Promise<void> {
  await page.locator('.found').getByText(text, { exact: true }).waitFor()
}

function query(page: Page): string {
  return new URL(page.url()).search
}

function numbers(page: Page): Promise<string[]> {
  return page
    .locator('.total, .chip')
    .allInnerTexts()
    .then((texts) => texts.map((text) => text.replaceAll(/\s+/g, ' ')))
}

async function textOf(element: { innerText(): Promise<string> }): Promise<string> {
  return (await element.innerText()).replaceAll(/\s+/g, ' ').trim()
}

async function topOf(page: Page, server: string): Promise<number> {
  const box = await page.getByRole('link', { name: server, exact: true }).boundingBox()
  return box?.y ?? Number.NaN
}

/** Until nothing has moved for some frames. */
async function untilStill(page: Page): Promise<void> {
  await page.evaluate(`new Promise((still) => {
    let [y, since] = [scrollY, 0]
    const look = () => {
      since = scrollY === y ? since + 1 : 0
      y = scrollY
      if (since > 5) still()
      else requestAnimationFrame(look)
    }
    look()
  })`)
}
