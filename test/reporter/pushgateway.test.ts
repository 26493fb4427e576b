import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { missingTools } from '../../scripts/install-tools.ts'
import { checkError } from '../../src/drift/check-error.ts'
import { type Pushgateway, push } from '../../src/reporter/pushgateway.ts'
import { reportBody } from '../../src/reporter/report-body.ts'
import { aDrift, aVerdict } from './evidence-builder.ts'
import { type RunningPushgateway, startPushgateway } from './start-pushgateway.ts'

const isMissing = missingTools('test').some(({ command }) => command === 'prometheus-pushgateway')
// bcrypt of that, at its lowest cost.
const HUNTER2 = '$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm'
const FIRST_CHECK = new Date('2026-04-21T10:30:00Z')
const SECOND_CHECK = new Date('2026-04-21T10:32:00Z')

const SYNCED = aVerdict()
const OUT_OF_SYNC = aVerdict({ status: 'OUT_OF_SYNC', drift: [aDrift()] })
const UNKNOWN = aVerdict({ status: 'UNKNOWN', error: checkError('unreachable'), coverage: null })

describe('a push to a real Pushgateway', { skip: isMissing && 'prometheus-pushgateway is missing' }, () => {
  let gateway: RunningPushgateway
  before(async () => {
    gateway = await startPushgateway()
  })
  after(() => gateway?.[Symbol.asyncDispose]())

  const pushed = (
    verdict: typeof SYNCED,
    { repo = 'rsyslog', at = FIRST_CHECK, ...names }: Partial<Pushgateway> & { repo?: string; at?: Date } = {},
  ) =>
    push(
      reportBody(verdict, { repo, startedAt: at, durationMs: 1, intervalSeconds: null, origin: { name: 'by hand' } }),
      {
        url: gateway.url,
        auth: null,
        job: 'gitops_sync_check',
        metric: 'gitops_sync_status',
        syncedValue: 0,
        ...names,
      },
      'gitops-status/test',
      { budgetMs: 5_000 },
    )
  const OK = { kind: 'pushed', httpStatus: 200 }
  const GROUP = 'instance="rsyslog-lab",job="gitops_sync_check",repo="rsyslog"'

  it('says 0 when in sync and 1 when not, and when each was found out', async () => {
    assert.deepEqual(await pushed(SYNCED), OK)
    assert.deepEqual(await gateway.series('gitops_sync_'), [
      `gitops_sync_last_check_timestamp_seconds{${GROUP}} 1.7767674e+09`,
      `gitops_sync_last_success_timestamp_seconds{${GROUP}} 1.7767674e+09`,
      `gitops_sync_status{${GROUP}} 0`,
    ])

    assert.deepEqual(await pushed(OUT_OF_SYNC), OK)
    assert.deepEqual(await gateway.series('gitops_sync_status'), [`gitops_sync_status{${GROUP}} 1`])
  })

  it('says neither when it is not known, and keeps the time of the last success', async () => {
    assert.deepEqual(await pushed(UNKNOWN, { at: SECOND_CHECK }), OK)

    assert.deepEqual(await gateway.series('gitops_sync_'), [
      `gitops_sync_last_check_timestamp_seconds{${GROUP}} 1.77676752e+09`,
      `gitops_sync_last_success_timestamp_seconds{${GROUP}} 1.7767674e+09`,
      `gitops_sync_status{${GROUP}} NaN`,
    ])
  })

  it('never says that what was never found out is in sync', async () => {
    await pushed(UNKNOWN, { repo: 'new' })

    assert.deepEqual(
      await gateway.series('gitops_sync_status{instance="rsyslog-lab",job="gitops_sync_check",repo="new"'),
      ['gitops_sync_status{instance="rsyslog-lab",job="gitops_sync_check",repo="new"} NaN'],
    )
  })

  it('can be turned round and renamed, for rules that are written already', async () => {
    await pushed(SYNCED, { job: 'old', metric: 'in_sync', syncedValue: 1 })
    assert.match((await gateway.series('in_sync')).join(), /job="old".* 1$/)

    await pushed(OUT_OF_SYNC, { job: 'old', metric: 'in_sync', syncedValue: 1 })
    assert.match((await gateway.series('in_sync')).join(), /job="old".* 0$/)
  })

  for (const hostile of [
    'owner/name',
    '../../metrics',
    'a b',
    'ü🙂"\\',
    '%2f',
    '.',
    '@base64',
    '?x#y',
    '=',
    '>>>???',
  ]) {
    it(`arrives under ${hostile}, as it was sent`, async () => {
      assert.deepEqual(await pushed(SYNCED, { job: hostile, repo: hostile }), OK)

      const written = hostile.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
      const group = `{instance="rsyslog-lab",job="${written}",repo="${written}"}`
      assert.deepEqual(await gateway.series(`gitops_sync_status${group}`), [`gitops_sync_status${group} 0`])
    })
  }

  it("fits in with a client library's gauge as well as with the untyped series of a curl", async () => {
    for (const [metric, type] of [
      ['by_library', '# TYPE by_library gauge\n'],
      ['by_curl', ''],
    ] as const) {
      const body = `${type}${metric} 1\n`
      await fetch(`${gateway.url}/metrics/job/other`, { method: 'POST', body })

      assert.deepEqual(await pushed(SYNCED, { metric }), OK, metric)
    }
  })

  it('leaves alone what others pushed into its group', async () => {
    const group = `${gateway.url}/metrics/job/gitops_sync_check/repo/rsyslog/instance/rsyslog-lab`
    await fetch(group, { method: 'POST', body: 'of_others 7\n' })

    await pushed(SYNCED)

    assert.deepEqual(await gateway.series('of_others'), [`of_others{${GROUP}} 7`])
  })

  it('gets in with the password, and not without', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-pushgateway-'))
    const config = join(directory, 'web.yml')
    writeFileSync(config, `basic_auth_users:\n  ci: ${HUNTER2}\n`)
    await using guarded = await startPushgateway({ args: [`--web.config.file=${config}`] })

    const outcomes = []
    for (const auth of ['ci:hunter2', 'ci:hunter3', null]) {
      outcomes.push(await pushed(SYNCED, { url: guarded.url, auth }))
    }
    // It reads the file anew for each request.
    rmSync(directory, { recursive: true })

    const refused = { kind: 'refused', httpStatus: 401, reason: 'Unauthorized' }
    assert.deepEqual(outcomes, [OK, refused, refused])
  })

  it('says what the Pushgateway says when it refuses', async () => {
    await fetch(`${gateway.url}/metrics/job/other`, { method: 'POST', body: '# TYPE counted counter\ncounted 1\n' })

    const outcome = await pushed(SYNCED, { metric: 'counted' })

    assert.equal(outcome.kind, 'refused')
    assert.match(outcome.kind === 'refused' ? outcome.reason : '', /inconsistent with existing metrics/)
  })
})
