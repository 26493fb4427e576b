import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { ReportBody } from '../../src/contract/report.ts'
import { fingerprintMark } from '../../src/redaction/fingerprint.ts'
import { reportBody } from '../../src/reporter/report-body.ts'
import { CANARIES } from '../redaction/canaries.ts'
import { aDrift, aVerdict } from '../reporter/evidence-builder.ts'
import { aBody, aFailure } from './a-report.ts'
import { NO_POSTGRES, type PostgresCluster, startPostgres } from './postgres-cluster.ts'
import { get, post } from './start-app.ts'
import { type RunningServer, startServer } from './start-server.ts'

const SECRETS = [...new Set(CANARIES.flatMap(({ server, git }) => [...server.secrets, ...git.secrets]))]

function assertNoHit(where: string, text: string): void {
  const hits = SECRETS.filter((secret) => text.includes(secret))
  assert.deepEqual(hits, [], `in ${where}`)
}

/** As the reporter of this repository sends it. */
function redactedReport(): ReportBody {
  const drift = CANARIES.map(({ server, git }, number) =>
    aDrift({ path: `/etc/${number}`, texts: [{ server: server.text, git: git.text }] }),
  )
  const mark = fingerprintMark('a key of the reporter', 'rsyslog')
  const context = {
    repo: 'rsyslog',
    startedAt: new Date(),
    durationMs: 1,
    intervalSeconds: null,
    origin: { name: 'test' },
  }
  return reportBody(aVerdict({ host: 'redacted', status: 'OUT_OF_SYNC', drift }), { ...context, mark })
}

/** As somebody sends it who redacts nothing: in differences, in the words of errors, in the names of tasks. */
function openReports(): ReportBody[] {
  const last_check = new Date().toISOString()
  const signed = (sign: string, text: string) => text.replace(/\n$/, '').replace(/^/gm, sign)
  const files = CANARIES.flatMap(({ server, git }, number) => [
    {
      name: `difference-${number}`,
      diff: `--- a\n+++ b\n@@ -1 +1 @@\n${signed('-', git.text)}\n${signed('+', server.text)}`,
    },
    { name: `no-places-${number}`, diff: signed('+', server.text) },
    { name: `no-signs-${number}`, diff: server.text },
    { name: server.text.slice(0, 500), kind: 'resource' as const },
  ])
  const unchecked = CANARIES.map(({ git }) => ({ name: git.text, reason: 'skipped_in_check_mode' }))
  const unwatched = CANARIES.map(({ server }) => ({ name: server.text, reason: 'no_path' }))
  const checked = unwatched.length
  const coverage = { checked, total: checked + unchecked.length, unchecked, watched: 0, unwatched }
  return [
    aBody({ server: 'open', files, last_check, coverage }),
    ...CANARIES.map(({ server }, number) =>
      aFailure({ server: `failed-${number}`, last_check, error: { code: 'task_failed', message: server.text } }),
    ),
  ]
}

async function firstEvents(url: string, end: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/events`)
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes(end)) break
  }
  return text
}

/** Every route that can be read, of every kind of target: a new one is asked by itself. */
async function* answers(url: string): AsyncGenerator<readonly [string, string]> {
  const { paths } = (await get(url, '/openapi.json')).body as { paths: Record<string, object> }
  const readable = Object.entries(paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []))
  assert.ok(readable.length > 15)
  for (const route of readable.filter((path) => path !== '/api/v1/events')) {
    const servers = route.includes('{server}') ? ['redacted', 'open', 'failed-0'] : ['']
    const asked = servers.map((server) =>
      route
        .replace('{repo}', 'rsyslog')
        .replace('{server}', server)
        .replaceAll(/\{\w+\}/g, 'x'),
    )
    for (const path of asked.flatMap((one) => [one, `${one}?format=csv`, `${one}?at=${new Date().toISOString()}`])) {
      const response = await fetch(url + path, { headers: { accept: '*/*' } })
      assert.ok(response.status < 500, path)
      yield [path, await response.text()]
    }
  }
}

describe('secrets in a report', () => {
  let directory: string
  let cluster: PostgresCluster | undefined
  const started: RunningServer[] = []
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-leak-'))
    if (!NO_POSTGRES) cluster = await startPostgres()
  })
  after(async () => {
    for (const server of started) if (server.process.exitCode === null) server.process.kill('SIGKILL')
    rmSync(directory, { recursive: true })
    await cluster?.stop()
  })

  it('are not in what the reporter sends', () => {
    const report = redactedReport()
    assert.ok(report.files.every(({ diff }) => diff?.includes('‹redacted ')))
    assertNoHit('the report', JSON.stringify(report))
  })

  async function start(database: string): Promise<RunningServer> {
    const server = await startServer({ database, args: ['--shutdown-wait', '0'] })
    started.push(server)
    return server
  }

  async function feed(server: RunningServer): Promise<void> {
    const redacted = await post(server.url, redactedReport())
    assert.deepEqual([redacted.status, redacted.body.warnings], [200, []], 'nothing is left for the server to redact')

    const open = await post(server.url, openReports())
    assert.equal(open.status, 200, JSON.stringify(open.body))
    assertNoHit('the answer', JSON.stringify(open.body))
    assert.match(
      open.body.results[0].warnings[0],
      /held what looks like a secret, which was redacted; so did \d+ more$/,
    )

    const wrong = CANARIES.map(({ server }) => ({ name: 'x', diff: `${server.text}\0`, change: server.text }))
    const refused = await post(server.url, aBody({ server: 'refused', files: wrong as never }))
    assert.equal(refused.status, 422)
    assertNoHit('a refusal', JSON.stringify(refused.body))
  }

  async function assertClean(server: RunningServer): Promise<void> {
    const events = firstEvents(server.url, 'failed-100')
    for await (const [path, text] of answers(server.url)) assertNoHit(path, text)
    assertNoHit('the event stream', await events)
    assertNoHit('the log', server.lines.join('\n'))
  }

  it('are not in the database file, its log, an answer, the event stream or the log of a server on SQLite', async () => {
    const server = await start(join(directory, 'leak.db'))
    await feed(server)
    await assertClean(server)
    for (const when of ['while it runs', 'when it was killed']) {
      const files = readdirSync(directory).filter((name) => name.startsWith('leak.db'))
      const held = files.map((name) => readFileSync(join(directory, name), 'latin1')).join('')
      assertNoHit(`${files.join(', ')} ${when}`, held)
      assert.ok(
        held.includes('difference-7') && held.includes(Buffer.from('‹redacted›').toString('latin1')),
        'it can be read',
      )
      if (when === 'while it runs') await server.end('SIGKILL')
    }
  })

  it('are not in the database, an answer, the event stream or the log of a server on PostgreSQL', {
    skip: NO_POSTGRES,
  }, async () => {
    assert.ok(cluster)
    const database = await cluster.newSchema()
    const server = await start(database)
    await feed(server)
    await assertClean(server)
    const [dump] = await cluster.sql(
      database,
      'SELECT schema_to_xml(current_schema(), true, false, $$$$)::text AS held',
    )
    const held = String(dump?.held)
    assertNoHit('the database', held)
    assert.ok(held.includes('difference-7') && held.includes('‹redacted›'), 'it can be read')
    assert.equal(await server.end('SIGTERM'), 0)
  })
})
