import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { ReportBody } from '../../src/contract/report.ts'
import { CHECK_ERRORS } from '../../src/drift/check-error.ts'
import { type Lab, startLab } from '../lab/lab-server.ts'
import { makeRepository, type RunOutcome, runGitopsStatus, startRecorder, stored } from '../reporter/check-run.ts'
import { ATTACKS, playbook, type Row, SERVERS, TRUTH_TABLE } from './truth-table.ts'

interface Outcome extends RunOutcome {
  readonly reports: readonly ReportBody[]
}

let lab: Lab
const outcomes = new Map<string, Outcome>()

before(async () => {
  lab = await startLab({ servers: SERVERS })
  await Promise.all([
    ...lab.servers.map((server) => server.run('echo v=1 >/etc/app.conf; chmod 644 /etc/app.conf')),
    lab.server('web1').run('mkdir -p /run/full && mount -t tmpfs -o size=4k full /run/full && echo x >/run/full/x'),
    lab.server('without-python').run('cd /usr/bin; for name in python*; do mv "$name" "no-$name"; done'),
  ])
  await Promise.all([
    lab.server('refusing').refuse(),
    lab.server('hanging').pause(),
    lab.server('rekeyed').changeHostKey(),
  ])
})
after(() => lab?.stop())

async function run({ name, hosts = ['web1'], files = {}, args = [], env = {}, answer = stored, ...row }: Row) {
  await using recorder = await startRecorder(answer)
  const all: Record<string, string | null> = {
    'hosts.yml': `all:\n  hosts:\n${hosts.map((host) => `    ${host}:\n`).join('')}`,
    ...playbook(),
    ...files,
  }
  using repository = makeRepository(withoutNull(all))
  using surroundings = row.surroundings?.()
  const outcome = await runGitopsStatus({
    directory: repository.directory,
    args: ['report', '--playbook', 'site.yml', '--inventory', 'hosts.yml', ...args],
    env: withoutNull({
      HOME: repository.directory,
      GITOPS_STATUS_SERVER_URL: recorder.url,
      REPO_NAME: 'rsyslog',
      SSH_PRIVATE_KEY: lab.privateKey,
      SSH_KNOWN_HOSTS: lab.knownHosts,
      ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
      ...surroundings?.env,
      ...env,
    }),
    meanwhile: row.meanwhile,
  })
  outcomes.set(name, { ...outcome, reports: recorder.reports })
  return { ...outcome, reports: recorder.reports }
}

describe('the truth table: a check that could not be trusted is never SYNCED', { concurrency: 3 }, () => {
  for (const row of TRUTH_TABLE) itEndsAsExpected(row)
})

describe('what could make a server look clean that is not', { concurrency: 3 }, () => {
  for (const row of ATTACKS) itEndsAsExpected(row)
})

function itEndsAsExpected(row: Row) {
  const skip = row.needsRoot && process.getuid?.() !== 0 && 'only root may mount'
  it(`${row.name}: ${row.expected ?? 'no report'}`, { skip }, async () => {
    const { code, reports, stdout, stderr } = await run(row)
    const said = `${stdout}\n${stderr}`

    assert.equal(code, row.exitCode ?? (row.expected === 'OUT_OF_SYNC' ? 0 : 1), said)
    if (row.expected === null) return
    for (const { server, sync_status, error, drift_count } of reports) {
      const expected: string = row.otherHosts?.[server as (typeof SERVERS)[number]] ?? row.expected
      assert.equal(error?.code ?? sync_status, expected, `${server}: ${error?.message}\n${said}`)
      assert.equal(drift_count, expected === 'OUT_OF_SYNC' ? 1 : 0)
    }
    // Without a list of hosts there is nobody to report of; people are told why.
    if (reports.length === 0) assert.match(said, new RegExp(`${row.expected}: `))
    else assert.equal(reports.length, row.hosts?.length ?? 1)
  })
}

describe('the control rows: the table does not hold because everything is broken', { concurrency: 2 }, () => {
  const row = (name: string, more: Partial<Row> = {}): Row => ({ name, expected: null, ...more })

  it('a clean server is SYNCED, and the exit code 0', async () => {
    const { code, reports, stdout } = await run(row('clean'))

    assert.equal(code, 0)
    assert.deepEqual(reports.map(statusOf), ['web1 SYNCED'])
    assert.match(stdout, /✓ Status update successful \(HTTP 200\)/)
  })

  it('three clean servers are SYNCED', async () => {
    const { code, reports } = await run(row('three clean', { hosts: ['web1', 'web2', 'web3'] }))

    assert.equal(code, 0)
    assert.deepEqual(reports.map(statusOf), ['web1 SYNCED', 'web2 SYNCED', 'web3 SYNCED'])
  })

  it('an edited file is OUT_OF_SYNC: exit code 0, and 2 with --detailed-exitcode', async () => {
    const files = { 'site.yml': (playbook()['site.yml'] ?? '').replace('v=1', 'v=2') }
    const [quiet, detailed] = await Promise.all([
      run(row('edited', { files })),
      run(row('edited, detailed', { files, args: ['--detailed-exitcode'], env: { SERVER_NAME: 'web1' } })),
    ])

    assert.deepEqual([quiet.code, detailed.code], [0, 2])
    assert.deepEqual(quiet.reports.map(statusOf), ['web1 OUT_OF_SYNC'])
    assert.deepEqual(
      quiet.reports[0]?.files.map(({ name, change }) => `${name} ${change}`),
      ['app.conf modified'],
    )
  })
})

describe('the table as a whole', () => {
  it('gives SYNCED in 0 rows', () => {
    const wrong = [...TRUTH_TABLE, ...ATTACKS].flatMap(({ name, otherHosts, exitCode }) =>
      (outcomes.get(name)?.reports ?? [])
        // Nobody has received what was sent in vain.
        .filter(({ server }) => exitCode !== 3 && otherHosts?.[server as (typeof SERVERS)[number]] !== 'SYNCED')
        .filter(({ sync_status }) => sync_status === 'SYNCED')
        .map(({ server }) => `${name}: ${server}`),
    )
    assert.deepEqual(wrong, [])
    const ran = TRUTH_TABLE.filter(({ name }) => outcomes.has(name))
    assert.deepEqual(
      TRUTH_TABLE.filter((row) => !ran.includes(row)).filter(({ needsRoot }) => !needsRoot),
      [],
    )
    for (const { name } of ran) assert.notEqual(outcomes.get(name)?.code, 0, name)
  })

  const FAST = ['../../src/drift/fast-check.test.ts', '../../src/drift/min-coverage.test.ts']

  it('has a row for every error code, here, in judge.test.ts, in host-looks.test.ts or in fast-check.test.ts', () => {
    const elsewhere = ['../../src/drift/judge.test.ts', '../looks/host-looks.test.ts', ...FAST]
      .map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))
      .join()
    const missing = Object.keys(CHECK_ERRORS).filter(
      (code) =>
        !TRUTH_TABLE.some(({ expected }) => expected === code) &&
        !new RegExp(`'${code}'|\\b${code}: \\[|UNKNOWN ${code} `).test(elsewhere),
    )
    assert.deepEqual(missing, [])
  })

  it('has a name of its own for every row', () => {
    const names = [...TRUTH_TABLE, ...ATTACKS].map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })
})

function statusOf({ server, sync_status }: ReportBody): string {
  return `${server} ${sync_status}`
}

function withoutNull(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}
