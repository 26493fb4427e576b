import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { aBody } from '../server/a-report.ts'
import { DASHBOARDS, panelsOf, queryOf, readDashboard, variableQueries } from './dashboards-in-json.ts'
import { anEmptyFleet, FLEETS, type Fleet, nowFrom } from './fleets.ts'
import { askInfinity, choicesIn, replacedInBrowser } from './infinity-plugin.ts'
import { lookAt, textOf } from './screen.ts'
import { openedWith } from './shown.ts'

/** What a person sees: a change of it is looked at. `UPDATE_GOLDEN=1` rewrites the file. */
function assertGolden(name: string, text: string): void {
  const file = new URL(`../golden/grafana/${name}.txt`, import.meta.url)
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'))
}

for (const [name, arrange] of Object.entries(FLEETS)) {
  describe(`with ${name}`, async () => {
    const fleet = await anEmptyFleet()
    after(() => fleet.app.stop())
    await arrange(fleet)
    const looking = { url: fleet.app.url, range: lastDay(fleet) }

    for (const dashboard of DASHBOARDS) {
      it(`shows on each panel of the dashboard ${dashboard} what is known`, async () => {
        const screen = await lookAt(readDashboard(dashboard), looking)
        assertGolden(`${name.replaceAll(' ', '-')}-${dashboard}`, textOf(screen))
      })
    }
  })
}

describe('the dashboards', () => {
  const dashboard = readDashboard('target')
  let fleet: Fleet
  beforeEach(async () => {
    fleet = await anEmptyFleet()
  })
  afterEach(() => fleet.app.stop())

  async function tilesOf(title: string, chosen = {}): Promise<string[]> {
    const screen = await lookAt(dashboard, { url: fleet.app.url, chosen, range: lastDay(fleet) })
    const shown = screen.get(title)
    assert.equal(shown?.type, 'tiles')
    return shown.tiles.map((tile) => `${tile.title}: ${tile.text}`)
  }

  it('let a repository and several servers be chosen, and ask for these alone', async () => {
    for (const repo of ['rsyslog', 'owner/web']) {
      for (const server of ['a', 'b', 'c']) await fleet.report(nowFrom(aBody({ repo, server })))
    }
    assert.deepEqual(await tilesOf('Sync status', { repo: ['owner/web'], server: ['a', 'c'] }), [
      'owner/web a: ✓ Synced',
      'owner/web c: ✓ Synced',
    ])
    assert.deepEqual(await tilesOf('Sync status', { repo: ['owner/web', 'rsyslog'], server: ['b'] }), [
      'owner/web b: ✓ Synced',
      'rsyslog b: ✓ Synced',
    ])
  })

  it('offer the repositories, and the servers of those that are chosen', async () => {
    await fleet.report(nowFrom(aBody()), nowFrom(aBody({ repo: 'owner/web', server: 'web-01' })))
    for (const name of DASHBOARDS) {
      const choices = await choicesOf(name, { repo: ['owner/web'], server: '*' })
      assert.deepEqual(choices, { repo: ['owner/web', 'rsyslog'], server: ['web-01'] })
    }
  })

  it('have nothing to choose from before the first report, and the plugin says so', async () => {
    await assert.rejects(choicesOf('fleet', openedWith(dashboard)), /at least one field expected for variable/)
  })

  it('lead from a server to its own dashboard, to its status and to its pipeline', async () => {
    const pipeline = { url: 'https://ci.example/repos/7/pipeline/41' }
    await fleet.report(nowFrom(aBody({ repo: 'owner/web', server: 'web-01', pipeline })))
    const looking = { url: fleet.app.url, chosen: { status_page: 'https://status.example.org' }, range: lastDay(fleet) }
    const screen = await lookAt(dashboard, looking)
    const shown = screen.get('Newest check')
    assert.equal(shown?.type, 'table')
    assert.deepEqual(
      shown.rows[0]?.flatMap(({ links }) => links),
      [
        '/d/gitops-status-target?from=now-24h&to=now&var-repo=owner/web&var-server=web-01&var-status_page=https://status.example.org',
        'https://status.example.org/status.json?repo=owner/web&server=web-01',
        'https://ci.example/repos/7/pipeline/41',
      ],
    )
    const [, status = ''] = shown.rows[0]?.flatMap(({ links }) => links) ?? []
    const answer = await fetch(status.replace('https://status.example.org', fleet.app.url))
    assert.match(await answer.text(), /^{"repo":"owner\/web","server":"web-01","sync_status":"SYNCED"/)
  })

  it('show a lane for each target with the moments in which its status became another', async () => {
    await fleet.report(nowFrom(aBody()))
    fleet.pass(2)
    await fleet.report(nowFrom(aBody({ files: [{ name: 'rsyslog.conf' }] })))
    fleet.pass(10)
    const range = { from: fleet.now() - 15 * 60_000, to: fleet.now() }
    const screen = await lookAt(dashboard, { url: fleet.app.url, range })
    const shown = screen.get('Status over time')
    assert.equal(shown?.type, 'series')
    assert.deepEqual(
      shown.series.map(({ name, changes }) => [name, changes.map(({ at, text }) => `${at.slice(11, 19)} ${text}`)]),
      [['rsyslog-lab · rsyslog', ['10:00:00 ✓ Synced', '10:02:00 ✗ Out of sync', '10:07:00 ? Unknown']]],
    )
  })

  it('show two hundred targets, the worst first, in an answer that was compressed', async () => {
    const bodies = Array.from({ length: 200 }, (_, number) =>
      nowFrom(
        aBody({ server: `web-${String(number).padStart(3, '0')}`, files: number === 150 ? [{ name: 'motd' }] : [] }),
      ),
    )
    await fleet.report(...bodies)
    const answer = await fetch(`${fleet.app.url}/api/v1/status`, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(answer.headers.get('content-encoding'), 'gzip')
    const screen = await lookAt(readDashboard('fleet'), { url: fleet.app.url, range: lastDay(fleet) })
    const shown = screen.get('Targets, the worst first')
    assert.equal(shown?.type, 'table')
    assert.deepEqual(
      [shown.rows.length, shown.rows[0]?.[0]?.text, shown.rows[0]?.[1]?.text],
      [200, '✗ Out of sync', 'web-150'],
    )
  })

  it('cannot be read where nobody replaces their variables, and say no wrong thing instead', async () => {
    await fleet.report(nowFrom(aBody()))
    for (const name of DASHBOARDS) {
      for (const panel of panelsOf(readDashboard(name))) {
        await assert.rejects(
          askInfinity(fleet.app.url, queryOf(panel), lastDay(fleet)),
          /status code : 400/,
          panel.title,
        )
      }
    }
  })

  it('show an error and not the last status when the server is gone', async () => {
    const gone = await anEmptyFleet()
    await gone.app.stop()
    const looking = { url: gone.app.url, range: lastDay(gone) }
    await assert.rejects(lookAt(dashboard, looking), /ECONNREFUSED/)
  })

  async function choicesOf(name: (typeof DASHBOARDS)[number], chosen: Record<string, string[] | string>) {
    const range = lastDay(fleet)
    const choices: Record<string, string[]> = {}
    for (const { name: variable, query } of variableQueries(readDashboard(name))) {
      choices[variable] = choicesIn(await askInfinity(fleet.app.url, replacedInBrowser(query, chosen, range), range))
    }
    return choices
  }
})

function lastDay({ now }: Fleet) {
  return { from: now() - 24 * 3_600_000, to: now() }
}
