import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { alertingFile } from '../../grafana/source/alert-rules.ts'
import { aBody, aFailure } from '../server/a-report.ts'
import { type Alerting, createAlerting } from './alert-manager.ts'
import { panelsOf, readDashboard } from './dashboards-in-json.ts'
import { anEmptyFleet, type Fleet, nowFrom } from './fleets.ts'

// That the built file says the same is tested beside it.
const RULES = alertingFile().groups.flatMap(({ rules }) => rules)

const CLEAN = nowFrom(aBody())
const DRIFTED = nowFrom(aBody({ files: [{ name: 'rsyslog.conf' }] }))
const FAILED = nowFrom(aFailure())

describe('an alert of Grafana', () => {
  let fleet: Fleet
  let alerting: Alerting
  beforeEach(async () => {
    fleet = await anEmptyFleet()
    alerting = createAlerting(fleet.app.url, RULES)
  })
  afterEach(() => fleet.app.stop())

  /** Minutes in which somebody may report, and after each of which the rules are looked at. */
  async function minutes(count: number, report: (minute: number) => readonly object[] = () => []): Promise<void> {
    for (let minute = 0; minute < count; minute++) {
      await fleet.report(...report(minute))
      await alerting.evaluate(fleet.now())
      fleet.pass(1)
    }
  }

  function every(interval: number, ...bodies: readonly object[]) {
    return (minute: number) => (minute % interval === 0 ? bodies : [])
  }

  it('says nothing while all is well', async () => {
    await minutes(30, every(2, CLEAN, { ...CLEAN, server: 'web' }))
    assert.deepEqual(alerting.firing(), [])
  })

  it('comes for drift that lasts for ten minutes, and goes with it', async () => {
    await minutes(10, every(2, DRIFTED))
    assert.deepEqual(alerting.firing(), [])
    await minutes(2, every(2, DRIFTED))
    assert.deepEqual(alerting.firing(), ['rsyslog-lab differs from Git (rsyslog)'])
    await minutes(2, every(2, CLEAN))
    assert.deepEqual(alerting.firing(), [])
  })

  it('is not put off by a check that fails in between', async () => {
    await minutes(4, every(2, DRIFTED))
    await minutes(2, every(2, FAILED))
    await minutes(6, every(2, DRIFTED))
    assert.deepEqual(alerting.firing(), ['rsyslog-lab differs from Git (rsyslog)'])
  })

  it('comes once for each target that drifted, by the name of that target', async () => {
    await minutes(12, every(2, DRIFTED, { ...DRIFTED, server: 'web' }, { ...CLEAN, server: 'clean' }))
    assert.deepEqual(alerting.firing(), ['rsyslog-lab differs from Git (rsyslog)', 'web differs from Git (rsyslog)'])
  })

  it('comes for silence a minute after the grace, and not as a check that fails', async () => {
    // The fifth minute belongs to the grace; in the sixth it is over, and in the seventh it has been for a minute.
    await minutes(7, every(10, CLEAN))
    assert.deepEqual(alerting.firing(), [])
    await minutes(1)
    assert.deepEqual(alerting.firing(), ['Nothing is heard of rsyslog-lab (rsyslog)'])
    await minutes(20)
    assert.deepEqual(alerting.firing(), ['Nothing is heard of rsyslog-lab (rsyslog)'])
    await minutes(1, every(1, CLEAN))
    assert.deepEqual(alerting.firing(), [])
  })

  it('comes for checks that fail for a quarter of an hour, and not as silence', async () => {
    await minutes(15, every(2, FAILED))
    assert.deepEqual(alerting.firing(), [])
    await minutes(1, every(1, FAILED))
    assert.deepEqual(alerting.firing(), ['Checks of rsyslog-lab fail (rsyslog)'])
  })

  it('comes once when the server is gone, and what fired goes on firing', async () => {
    await minutes(12, every(2, DRIFTED))
    await fleet.app.stop()
    await alerting.evaluate(fleet.now())
    await alerting.evaluate(fleet.now() + 60_000)
    assert.deepEqual(alerting.firing(), ['rsyslog-lab differs from Git (rsyslog)'])
    await alerting.evaluate(fleet.now() + 120_000)
    assert.deepEqual(alerting.firing(), [
      'rsyslog-lab differs from Git (rsyslog)',
      'gitops-status-server is down or cannot store reports',
    ])
    fleet = await anEmptyFleet()
  })

  it('comes when nobody has reported anything for a quarter of an hour', async () => {
    await minutes(15)
    assert.deepEqual(alerting.firing(), [])
    await minutes(1)
    assert.deepEqual(alerting.firing(), ['gitops-status knows of no server'])
    await minutes(1, every(1, CLEAN))
    assert.deepEqual(alerting.firing(), [])
  })
})

describe('the alert rules of Grafana', () => {
  it('lead to a section that says what to do, and to a panel', () => {
    const text = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8')
    const sections = [...text.matchAll(/^### (.*)$/gm)].map(
      ([, title = '']) => `docs/operate.md#${title.toLowerCase().replaceAll(' ', '-')}`,
    )
    const dashboard = readDashboard('fleet')
    const panels = panelsOf(dashboard).map(({ id }) => id)
    for (const { title, annotations, dashboardUid, panelId } of RULES) {
      assert.ok(sections.includes(annotations.runbook), title)
      assert.ok(dashboardUid === dashboard.uid && panels.includes(panelId), title)
    }
  })

  it('have nothing in them that Grafana would take for its environment', () => {
    // It replaces ${…} in annotations, and $… in titles and labels, with nothing.
    for (const { uid, title, labels, annotations } of RULES) {
      assert.doesNotMatch([uid, title, ...Object.values(labels)].join(), /\$/)
      assert.doesNotMatch(Object.values(annotations).join(), /\$\{|\$\$/)
    }
  })

  it('have no label that changes with the status', () => {
    for (const { title, data } of RULES) {
      const columns = data[0].model.columns
      const labels = columns.filter(({ type }) => type === 'string').map(({ text }) => text)
      assert.ok(
        labels.every((label) => ['repo', 'server', 'name'].includes(label)),
        title,
      )
      assert.equal(columns.length - labels.length, 1, title)
    }
  })
})
