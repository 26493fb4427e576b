import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { missingTools } from '../../scripts/install-tools.ts'
import { aLedger, aReceived } from '../../test/server/a-report.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { TargetMetrics } from './target-series.ts'

const OPENMETRICS = 'application/openmetrics-text;version=1.0.0'

function aTarget(overrides: Partial<TargetMetrics> = {}): TargetMetrics {
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    syncStatus: 'SYNCED',
    driftCount: 0,
    stale: false,
    lastCheckAt: new Date('2026-04-21T10:30:00Z'),
    contactAt: new Date('2026-04-21T10:30:04.5Z'),
    since: null,
    driftSince: null,
    missedChecks: null,
    coverage: null,
    lastFullCheckAt: null,
    checksDisagree: null,
    ...overrides,
  }
}

/** Metrics of these targets, and how long the store takes. */
function someMetrics(t: TestContext, { targets = [] as TargetMetrics[], maxTargets = 10_000 } = {}) {
  let clockMs = 0
  const metrics = createMetrics({
    targets: () => targets,
    refusals: { invalid_report: 422, store_unavailable: 503 },
    version: '1.2.3',
    monotonicMs: () => clockMs,
    access: () => ({ isOpen: true, tokens: [] }),
    knowledge: () => ({ asOf: new Date('2026-04-21T10:32:08Z'), isFollowing: true }),
    maxTargets,
  })
  t.after(metrics.stop)
  return {
    metrics,
    advance: (ms: number) => {
      clockMs += ms
    },
    read: (accept?: string) => read(metrics, accept),
  }
}

async function read(metrics: Metrics, accept?: string): Promise<string> {
  return String((await metrics.exposition(accept)).body)
}

/** The lines of one metric, without what is said about it. */
function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

/** What differs with each process is no part of what others rely on. */
function comparable(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^(# (HELP|TYPE) )?(process|nodejs)_/.test(line))
    .map((line) => line.replace(process.version, 'v24.0.0'))
    .join('\n')
}

function assertGolden(name: string, text: string): void {
  const file = new URL(`../../test/golden/metrics/${name}.txt`, import.meta.url)
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, text)
  }
  assert.equal(text, readFileSync(file, 'utf8'))
}

const FLEET = [
  aTarget({
    missedChecks: 0,
    since: new Date('2026-04-20T08:00:00Z'),
  }),
  aTarget({
    server: 'web-01',
    syncStatus: 'OUT_OF_SYNC',
    driftCount: 2,
    since: new Date('2026-04-21T10:00:00Z'),
    driftSince: new Date('2026-04-21T10:00:00Z'),
    missedChecks: 3,
    coverage: 41 / 47,
    lastFullCheckAt: new Date('2026-04-21T10:16:00Z'),
    checksDisagree: false,
  }),
  aTarget({ repo: 'nginx', server: 'web-02', syncStatus: 'UNKNOWN', driftCount: 1, stale: true }),
]

const HOSTILE = [
  aTarget({ server: 'line\nbreak 1', repo: 'back\\slash' }),
  aTarget({ server: '"} 1\ngitops_status_stale{server="forged' }),
  aTarget({ server: 'ends with \\' }),
  aTarget({ server: 'ünïcode \u{1f6a8}\u202e\u0000' }),
  aTarget({ server: 'half \ud800' }),
]

/** Counted as a server does that has seen some of everything. */
async function used({ metrics, advance }: ReturnType<typeof someMetrics>): Promise<void> {
  const { append } = aLedger()
  const store = metrics.meterAppend(async (received: readonly ReturnType<typeof aReceived>[]) => {
    advance(4)
    return append(received)
  })
  await store([aReceived({}, '2026-04-21T10:30:03Z')])
  await store([aReceived({ files: [{ name: 'a' }], last_check: '2026-04-21T10:32:00Z' }, '2026-04-21T10:32:06Z')])
  await store([aReceived({ last_check: '2026-04-21T10:31:00Z' }, '2026-04-21T10:32:07Z')])
  metrics.countRequest({ route: '/api/status', method: 'POST', status: 200, seconds: 0.012 })
  metrics.countRefusal('invalid_report', 422)
}

for (const [name, accept] of Object.entries({ prometheus: 'text/plain', openmetrics: OPENMETRICS })) {
  it(`writes the golden file ${name}.txt`, async (t) => {
    const small = someMetrics(t, { targets: FLEET })
    await used(small)
    assertGolden(name, comparable(await small.read(accept)))
  })
}

describe('promtool', { skip: missingTools('test').some(({ command }) => command === 'promtool') }, () => {
  for (const [fleet, targets] of Object.entries({ 'a small fleet': FLEET, 'hostile names': HOSTILE, nothing: [] })) {
    it(`finds nothing wrong with ${fleet}`, async (t) => {
      const some = someMetrics(t, { targets })
      await used(some)
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: await some.read(),
        encoding: 'utf8',
        timeout: 30_000,
      })
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
    })
  }
})

describe('a target', () => {
  it('with a hostile name writes no series of its own making', async (t) => {
    const text = await someMetrics(t, { targets: HOSTILE }).read()
    assert.equal(linesOf(text, 'gitops_status_stale').length, HOSTILE.length)
    assert.match(text, /^gitops_status_stale\{repo="back\\\\slash",server="line\\nbreak 1"\} 0$/m)
  })

  it('has no series for what is not known of it', async (t) => {
    const text = await someMetrics(t, { targets: [aTarget()] }).read()
    assert.doesNotMatch(text, /since_timestamp|missed_checks/)
  })

  it('beyond the cap has no series, and is counted', async (t) => {
    const targets = [
      aTarget({ server: 'b' }),
      aTarget({ server: 'z', syncStatus: 'OUT_OF_SYNC' }),
      aTarget({ server: 'c' }),
      aTarget({ server: 'a' }),
      aTarget({ server: 'y', syncStatus: 'UNKNOWN' }),
    ]
    const text = await someMetrics(t, { targets, maxTargets: 3 }).read()

    const shown = linesOf(text, 'gitops_status_stale').map((line) => /server="(.)"/.exec(line)?.[1])
    assert.deepEqual(shown, ['z', 'y', 'a'])
    assert.deepEqual(linesOf(text, 'gitops_status_targets_without_series'), ['gitops_status_targets_without_series 2'])
    assert.deepEqual(linesOf(text, 'gitops_status_targets'), [
      'gitops_status_targets{sync_status="SYNCED"} 3',
      'gitops_status_targets{sync_status="OUT_OF_SYNC"} 1',
      'gitops_status_targets{sync_status="UNKNOWN"} 1',
    ])
  })

  it('among the worst is found wherever it stands among many', async (t) => {
    const targets = Array.from({ length: 5_000 }, (_, n) => aTarget({ server: `s-${String(n).padStart(4, '0')}` }))
    const drifted = [17, 2_500, 4_999].map((n) => aTarget({ server: `d-${n}`, syncStatus: 'OUT_OF_SYNC' }))
    const mixed = targets.toReversed().toSpliced(2_000, 0, ...drifted)
    const text = await someMetrics(t, { targets: mixed, maxTargets: 5 }).read()

    const shown = linesOf(text, 'gitops_status_stale').map((line) => /server="([^"]*)"/.exec(line)?.[1])
    assert.deepEqual(shown, ['d-17', 'd-2500', 'd-4999', 's-0000', 's-0001'])
  })
})

describe('the times of a check', () => {
  it('never count backwards, whatever the reporter takes for the time', async (t) => {
    const { metrics, read } = someMetrics(t)
    const { append } = aLedger()
    const store = metrics.meterAppend(async (received: readonly ReturnType<typeof aReceived>[]) => append(received))
    await store([aReceived({ last_check: '2026-04-21T10:34:00Z' }, '2026-04-21T10:30:00Z')])
    await store([aReceived({ last_check: '2026-04-21T10:31:00Z' }, '2026-04-21T10:31:00Z')])

    const text = await read()
    assert.deepEqual(linesOf(text, 'gitops_status_detection_lag_seconds_sum'), [
      'gitops_status_detection_lag_seconds_sum 0',
    ])
    assert.deepEqual(linesOf(text, 'gitops_status_check_interval_ratio_sum'), [
      'gitops_status_check_interval_ratio_sum 0',
    ])
  })
})

describe('a store that fails', () => {
  it('is counted, and fails for its caller as before', async (t) => {
    const { metrics, read } = someMetrics(t)
    const broken = new Error('disk full')
    await assert.rejects(metrics.meterAppend(() => Promise.reject(broken))([]), broken)
    assert.match(await read(), /^gitops_status_store_errors_total 1$/m)
  })
})

describe('reports that wait', () => {
  it('are counted until they are answered, also by a refusal', async (t) => {
    const { metrics, read } = someMetrics(t)
    const answer = Promise.withResolvers<void>()
    const ingest = metrics.meterIngest((_submission: { reports: string[] }) => answer.promise)
    const outcome = assert.rejects(ingest({ reports: ['a', 'b'] }))

    assert.match(await read(), /^gitops_status_reports_waiting 2$/m)
    answer.reject(new Error('refused'))
    await outcome
    assert.match(await read(), /^gitops_status_reports_waiting 0$/m)
  })
})

describe('Accept', () => {
  const ASKED: Record<string, string> = {
    // Prometheus 2 and 3
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1':
      'application/openmetrics-text',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.2':
      'application/openmetrics-text',
    'text/html,application/xhtml+xml,*/*;q=0.8': 'text/plain',
    '*/*': 'text/plain',
    '': 'text/plain',
    'application/openmetrics-text; version=0.0.1': 'text/plain',
    'application/openmetrics-text;q=0': 'text/plain',
    'text/plain, application/openmetrics-text;q=0.5': 'text/plain',
    'Application/OpenMetrics-Text; Version="1.0.0"': 'application/openmetrics-text',
    ';;q=x,,': 'text/plain',
  }
  for (const [accept, type] of Object.entries(ASKED)) {
    it(`"${accept.slice(0, 90)}" gets ${type}`, async (t) => {
      const { metrics } = someMetrics(t)
      const { contentType, body } = await metrics.exposition(accept)
      assert.equal(contentType.split(';')[0], type)
      assert.equal(String(body).endsWith('\n# EOF\n'), type === 'application/openmetrics-text')
    })
  }
})
