import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { missingTools } from '../scripts/install-tools.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const RULES = 'grafana/prometheus-rules.yml'
const METRICS = new Set(
  [...read('test/golden/metrics/prometheus.txt').matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
)

describe('the alert rules', () => {
  it('name only what /metrics has', () => {
    const named = [...read(RULES).matchAll(/^ +expr: (.*)$/gm)].flatMap(([, expr = '']) =>
      expr.match(/gitops_status_\w+/g),
    )
    assert.ok(named.length >= 6)
    for (const name of named) assert.ok(METRICS.has(name ?? ''), `${name}`)
  })

  it('lead to a section that says what to do', () => {
    const sections = [...read('docs/operate.md').matchAll(/^### (.*)$/gm)].map(
      ([, title = '']) => `docs/operate.md#${title.toLowerCase().replaceAll(' ', '-')}`,
    )
    const text = read(RULES)
    const runbooks = [...text.matchAll(/^ +runbook: (.*)$/gm)].map(([, runbook]) => runbook ?? '')
    assert.equal(runbooks.length, [...text.matchAll(/- alert:/g)].length)
    for (const runbook of runbooks) assert.ok(sections.includes(runbook), runbook)
  })
})

it('documents every metric', () => {
  const text = read('docs/operate.md')
  for (const name of METRICS) assert.ok(text.includes(`| \`${name}\` | `), name)
})

describe('promtool', { skip: missingTools('test').some(({ command }) => command === 'promtool') }, () => {
  for (const args of [
    ['check', 'rules', RULES],
    ['test', 'rules', 'grafana/prometheus-rules.test.yml'],
  ]) {
    it(`is content: promtool ${args.join(' ')}`, () => {
      const { status, stdout, stderr } = spawnSync('promtool', args, {
        cwd: new URL('..', import.meta.url),
        encoding: 'utf8',
        timeout: 60_000,
      })
      assert.equal(status, 0, stdout + stderr)
    })
  }
})
