import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { checkError } from '../../src/drift/check-error.ts'
import type { Verdict } from '../../src/drift/judge.ts'
import { push } from '../../src/reporter/pushgateway.ts'
import { reportBody } from '../../src/reporter/report-body.ts'
import { send } from '../../src/reporter/send.ts'
import { aVerdict } from '../reporter/evidence-builder.ts'
import { eventually, type Reader } from './walk.ts'

const PROMETHEUS = 'http://127.0.0.1:9090'
const DOCUMENT = new URL('../../docs/move-from-pushgateway.md', import.meta.url)
/** How far two clocks may read apart that tell when the same report arrived here and there. */
const SECONDS_APART = 60

/** A real Prometheus with the document's own configuration asks both, and each row's two queries find the same. */
export async function bothAnswerTheSame(configuration: unknown, reader: Reader): Promise<void> {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
  const unknown = (host: string) =>
    aVerdict({ host, status: 'UNKNOWN', error: checkError('unreachable'), coverage: null })
  await reportToBoth(aVerdict({ host: 'web-1' }), minutesAgo(0), null, reader)
  // Silent at once: its only check was long ago, and one was due each second.
  await reportToBoth(unknown('web-2'), minutesAgo(7), 1, reader)
  // Checked until now, and for a long time in vain.
  await reportToBoth(aVerdict({ host: 'web-3' }), minutesAgo(12), null, reader)
  await reportToBoth(unknown('web-3'), minutesAgo(11), null, reader)
  await reportToBoth(unknown('web-3'), minutesAgo(0), null, reader)
  reader.running.push(await startPrometheus(configuration))

  const rows = questions()
  assert.ok(rows.length >= 9)
  await eventually(async () => {
    for (const { question, old, now } of rows) {
      const [there, here] = [await answer(old), await answer(now)]
      assert.notDeepEqual(there, [], `${question} ${old} finds nothing`)
      assert.deepEqual(
        there.map(({ server }) => server),
        here.map(({ server }) => server),
        question,
      )
      if (asksWho(old)) continue
      for (const [index, { value }] of there.entries()) {
        assert.ok(Math.abs(value - (here[index]?.value ?? Number.NaN)) < tolerance(question), `${question} ${value}`)
      }
    }
  })
}

/** The recording rule says of each server what the Pushgateway says, and nothing of those of which nothing is known. */
export async function oldNameIsKept(rules: unknown): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-rules-'))
  const file = join(directory, 'rules.yml')
  writeFileSync(file, stringify(rules))
  execFileSync('promtool', ['check', 'rules', file], { stdio: 'pipe' })
  rmSync(directory, { recursive: true })

  const [rule] = (rules as { groups: [{ rules: [{ record: string; expr: string }] }] }).groups[0].rules
  const kept = await answer(rule.expr)
  assert.equal(rule.record, 'gitops_sync_status')
  assert.deepEqual(kept, await answer('gitops_sync_status == gitops_sync_status'))
  assert.deepEqual(kept, [
    { server: 'rsyslog-lab', value: 1 },
    { server: 'web-1', value: 0 },
  ])
}

async function reportToBoth(verdict: Verdict, startedAt: Date, intervalSeconds: number | null, reader: Reader) {
  const origin = { name: 'by hand' }
  const report = reportBody(verdict, { repo: 'rsyslog', startedAt, durationMs: 1, intervalSeconds, origin })
  const gateway = {
    url: reader.pushgateway.url,
    auth: null,
    job: 'gitops_sync_check',
    metric: 'gitops_sync_status',
    syncedValue: 0,
  } as const
  const options = { budgetMs: 5_000 }
  const sent = await send([report], { serverUrl: reader.serverUrl, token: null, userAgent: 'test' }, options)
  assert.equal(sent.kind, 'delivered', JSON.stringify(sent))
  assert.equal((await push(report, gateway, 'test', options)).kind, 'pushed')
}

async function startPrometheus(configuration: unknown): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-prometheus-'))
  const file = join(directory, 'prometheus.yml')
  // Once a minute, its own default, would be too seldom to wait for.
  writeFileSync(file, stringify({ global: { scrape_interval: '1s' }, ...(configuration as object) }))
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${directory}/data`,
      '--web.listen-address=127.0.0.1:9090',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Question {
  readonly question: string
  readonly old: string
  readonly now: string
}

function questions(): Question[] {
  return [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| (.*\?) \| `(.*)` \| `(.*)` \|$/gm)].map(
    ([, question = '', old = '', now = '']) => ({ question, old, now }),
  )
}

/** Series with a value each, by server; without one for an answer about all of them. */
async function answer(query: string): Promise<{ server: string | undefined; value: number }[]> {
  const response = await fetch(`${PROMETHEUS}/api/v1/query?${new URLSearchParams({ query })}`)
  const { data, error } = (await response.json()) as {
    error?: string
    data?: { result: { metric: { instance?: string; server?: string }; value: [number, string] }[] }
  }
  assert.ok(data, `${query}: ${error}`)
  return data.result
    .map(({ metric, value }) => ({ server: metric.server ?? metric.instance, value: Number(value[1]) }))
    .sort((a, b) => ((a.server ?? '') < (b.server ?? '') ? -1 : 1))
}

/** A comparison keeps the value of its left side, which is another one here and there. */
function asksWho(query: string): boolean {
  return /^[^(]*(==|!=|>)/.test(query) || query.startsWith('time()')
}

function tolerance(question: string): number {
  return question.startsWith('When was something heard') ? SECONDS_APART : 0.001
}
