import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  aDrift,
  aFailure,
  aHost,
  anEvidence,
  aRun,
  hostileHost,
  hostileText,
  RUN_ID,
} from '../../test/reporter/evidence-builder.ts'
import type { SyncStatus } from '../domain/report.ts'
import type { CheckErrorCode } from './check-error.ts'
import type { Evidence } from './evidence.ts'
import { judge, type PlaybookRun, type Verdict } from './judge.ts'
import type { Ending } from './run-command.ts'

const RECORDS = new URL('../../test/golden/evidence/', import.meta.url)
const ONE = ['rsyslog-lab']
const OTHER_ENDINGS: readonly Ending[] = [
  { kind: 'killed', signal: 'SIGKILL' },
  { kind: 'timed_out' },
  { kind: 'interrupted' },
  { kind: 'not_started', reason: 'spawn ansible-playbook ENOENT' },
]

describe('judge', () => {
  it('gives SYNCED to a host that was checked to the end without a difference', () => {
    const { named, listed, looked_for, access } = aHost()
    assert.deepEqual(judge(ONE, aRun(anEvidence())), [
      {
        host: 'rsyslog-lab',
        status: 'SYNCED',
        error: null,
        drift: [],
        coverage: { checked: 3, total: 3, unchecked: [] },
        seen: { named, listed, looked_for, access },
      },
    ])
  })

  it('gives OUT_OF_SYNC to one that differs', () => {
    const drift = [aDrift()]
    const [verdict] = judge(ONE, aRun(anEvidence({ hosts: { 'rsyslog-lab': aHost({ drift }) } })))

    assert.equal(verdict?.status, 'OUT_OF_SYNC')
    assert.deepEqual(verdict.drift, drift)
  })

  it('names what was not looked at, and counts it against the coverage', () => {
    const unchecked = [{ task: 'Ask rsyslogd', reason: 'skipped_in_check_mode' }] as const
    const hosts = { 'rsyslog-lab': aHost({ unchecked }) }
    const [verdict] = judge(ONE, aRun(anEvidence({ hosts, selection: ['--tags rsyslog'] })))

    assert.deepEqual(verdict?.coverage, {
      checked: 3,
      total: 5,
      unchecked: [
        { name: 'Ask rsyslogd', reason: 'skipped_in_check_mode' },
        { name: 'everything outside --tags rsyslog', reason: 'not_selected' },
      ],
    })
  })

  it('says of every expected host what it knows, in the order of the list', () => {
    const hosts = { a: aHost(), b: aHost({ drift: [aDrift()] }), uninvited: aHost() }

    const verdicts = judge(['c', 'b', 'a'], aRun(anEvidence({ hosts })))

    assert.deepEqual(brief(verdicts), ['c UNKNOWN host_not_in_run', 'b OUT_OF_SYNC', 'a SYNCED'])
  })

  it('never finds a host by a name that every object has', () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
    for (const verdict of judge(names, aRun(anEvidence()))) assert.equal(verdict.error?.code, 'host_not_in_run')
  })

  it('keeps the drift of a host that was not checked to the end to itself', () => {
    const host = aHost({ drift: [aDrift()], sentinel: false })
    const [verdict] = judge(ONE, aRun(anEvidence({ hosts: { 'rsyslog-lab': host } })))

    assert.deepEqual([verdict?.status, verdict?.drift], ['UNKNOWN', []])
  })
})

describe('judge, what keeps a host from a status', () => {
  const ROWS: readonly (readonly [what: string, run: PlaybookRun, code: CheckErrorCode])[] = [
    ['no result file', aRun(null), 'result_missing'],
    ['an empty result file', aRun(null, { result: '' }), 'result_invalid'],
    ['half a result file', aRun(null, { result: '{"format": 1, "run_id"' }), 'result_invalid'],
    ['a result file of another run', aRun(anEvidence({ run_id: 'another' })), 'result_invalid'],
    ['a run that was no check', aRun(anEvidence({ check_mode: false })), 'not_a_check'],
    ['a run without this host', aRun(anEvidence({ hosts: { another: aHost() } })), 'host_not_in_run'],
    ['a run without any host', aRun(anEvidence({ hosts: {} })), 'host_not_in_run'],
    ['a run that was cut short', withHost({ sentinel: false }), 'run_cut_short'],
    ['a run that compared nothing', withHost({ verified: 0 }), 'nothing_verified'],
    ['a failed task', withHost({ failures: [aFailure()] }), 'task_failed'],
    ['a failed task that was ignored', withHost({ failures: [aFailure({ ignored: true })] }), 'task_failed_ignored'],
    ['an exit code that nothing explains', aRun(anEvidence(), { ending: { kind: 'exited', code: 250 } }), 'run_failed'],
    ['a run that was killed', aRun(anEvidence(), { ending: { kind: 'killed', signal: 'SIGKILL' } }), 'ansible_killed'],
    ['a run that took too long', aRun(anEvidence(), { ending: { kind: 'timed_out' } }), 'timeout'],
    ['a run that was interrupted', aRun(anEvidence(), { ending: { kind: 'interrupted' } }), 'interrupted'],
    [
      'no Ansible',
      aRun(anEvidence(), { ending: { kind: 'not_started', reason: 'spawn ansible-playbook ENOENT' } }),
      'ansible_missing',
    ],
  ]
  for (const [what, run, code] of ROWS) {
    it(`${what}: UNKNOWN, ${code}`, () => {
      const [verdict] = judge(ONE, run)
      assert.deepEqual([verdict?.status, verdict?.error?.code], ['UNKNOWN', code])
    })
  }
})

describe('judge, by what was said', () => {
  const UNREACHABLE: readonly (readonly [said: string, code: CheckErrorCode])[] = [
    ['Failed to connect to the host via ssh: ssh: connect to host h1 port 22: Connection refused', 'unreachable'],
    ['Failed to connect to the host via ssh: ssh: connect to host h1 port 22: Connection timed out', 'unreachable'],
    ['Data could not be sent to remote host "h1". Make sure this host can be reached over ssh', 'unreachable'],
    ['root@h1: Permission denied (publickey).', 'auth_failed'],
    ['Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures', 'auth_failed'],
    ['No ED25519 host key is known for h1 and you have requested strict checking.', 'host_key_unknown'],
    ['Host key verification failed.', 'host_key_unknown'],
    ['@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ Host key verification failed.', 'host_key_changed'],
    ['Failed to create temporary directory. mkdir: No space left on device', 'disk_full'],
  ]
  for (const [said, code] of UNREACHABLE) {
    it(`${said}: ${code}`, () => {
      const [verdict] = judge(ONE, withHost({ failures: [aFailure({ kind: 'unreachable', message: said })] }))
      assert.equal(verdict?.error?.code, code)
    })
  }

  it('finds a changed host key where ssh says it, below a row of @', () => {
    const message = `Failed to connect to the host via ssh: ${'@'.repeat(59)}`
    const failures = [aFailure({ kind: 'unreachable', message })]
    const hosts = { 'rsyslog-lab': aHost({ failures }), another: aHost({ failures }) }
    const output = `fatal: [rsyslog-lab]: UNREACHABLE! => {"msg": "${message}\\r\\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @"}`

    assert.deepEqual(brief(judge(['rsyslog-lab', 'another'], aRun(anEvidence({ hosts }), { output }))), [
      'rsyslog-lab UNKNOWN host_key_changed',
      'another UNKNOWN unreachable',
    ])
  })

  const FAILED: readonly (readonly [said: string, code: CheckErrorCode])[] = [
    ['/bin/sh: 1: /usr/bin/python3: not found', 'python_missing'],
    ['The module failed to execute correctly, you probably need to set the interpreter', 'python_missing'],
    ['Missing sudo password', 'become_failed'],
    ['sudo: a password is required', 'become_failed'],
    ['Timeout (12s) waiting for privilege escalation prompt: ', 'become_failed'],
    ['Attempting to decrypt but no vault secrets found', 'vault_password_missing'],
    ['[Errno 28] No space left on device', 'disk_full'],
    ['Could not find or access the file', 'task_failed'],
  ]
  for (const [said, code] of FAILED) {
    it(`${said}: ${code}`, () => {
      const [verdict] = judge(ONE, withHost({ failures: [aFailure({ message: said })] }))
      assert.equal(verdict?.error?.code, code)
    })
  }

  it('does not take the name of a task for what happened in it', () => {
    const task = 'Install sudo, python3: not found in the vault'
    const [verdict] = judge(ONE, withHost({ failures: [aFailure({ task, message: 'no such package' })] }))
    assert.equal(verdict?.error?.code, 'task_failed')
  })

  it('tells of the failure that ended the run before one that was ignored', () => {
    const failures = [aFailure({ ignored: true, message: 'first' }), aFailure({ message: 'second' })]
    const [verdict] = judge(ONE, withHost({ failures }))
    assert.equal(verdict?.error?.message, 'A task failed: Write the file: second')
  })

  it('never takes words of the output for a finding', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const output = `${text}\nDRIFTED_FILES=\nSYNC_STATUS=SYNCED\nrsyslog-lab SYNC_STATUS=SYNCED\n`
        assert.equal(judge(ONE, aRun(null, { output }))[0]?.status, 'UNKNOWN')
      }),
    )
  })
})

describe('judge, from recorded runs of Ansible', () => {
  const RECORDED: readonly (readonly [row: string, verdicts: readonly string[]])[] = [
    ['clean', ['SYNCED']],
    ['content-drift', ['OUT_OF_SYNC']],
    ['mode-drift', ['OUT_OF_SYNC']],
    ['content-and-mode-drift', ['OUT_OF_SYNC']],
    ['forged-names', ['OUT_OF_SYNC']],
    ['missing', ['OUT_OF_SYNC']],
    ['extra', ['OUT_OF_SYNC']],
    ['no-log-drift', ['OUT_OF_SYNC']],
    ['changed-when-false-with-diff', ['OUT_OF_SYNC']],
    ['ignored-failure', ['UNKNOWN task_failed_ignored']],
    ['rescued', ['UNKNOWN task_failed_ignored']],
    ['failed-when-false', ['UNKNOWN task_failed_ignored']],
    ['ignore-unreachable', ['UNKNOWN unreachable']],
    ['all-skipped', ['UNKNOWN nothing_verified']],
    ['empty-tags', ['UNKNOWN nothing_verified']],
  ]
  for (const [row, expected] of RECORDED) {
    it(`${row}: ${expected.join(', ')}`, () => assert.deepEqual(brief(judge(ONE, recorded(row))), expected))
  }

  const THREE: readonly (readonly [row: string, verdicts: readonly string[]])[] = [
    ['any-errors-fatal', ['UNKNOWN unreachable', 'UNKNOWN run_cut_short', 'UNKNOWN run_cut_short']],
    ['one-of-three-down', ['UNKNOWN unreachable', 'SYNCED', 'SYNCED']],
    ['serial-first-host-down', ['UNKNOWN unreachable', 'UNKNOWN run_cut_short', 'UNKNOWN run_cut_short']],
  ]
  for (const [row, expected] of THREE) {
    it(`${row}: ${expected.join(', ')}`, () => {
      const verdicts = judge(['server-1', 'server-2', 'server-3'], recorded(row))
      assert.deepEqual(
        brief(verdicts),
        expected.map((verdict, index) => `server-${index + 1} ${verdict}`),
      )
    })
  }

  it('has a row for each record', () => {
    const files = readdirSync(RECORDS).map((name) => name.replace('.json', ''))
    const tested = [...RECORDED, ...THREE].map(([row]) => row)
    assert.deepEqual(
      files.filter((name) => !tested.includes(name)),
      [],
    )
  })
})

describe('SYNCED', () => {
  const anyEvidence: fc.Arbitrary<Evidence> = fc
    .tuple(fc.dictionary(fc.constantFrom('h1', 'h2', 'h3', 'h4'), hostileHost), fc.boolean(), fc.array(hostileText))
    .map(([hosts, check_mode, selection]) => anEvidence({ hosts, check_mode, selection }))
  const anyEnding: fc.Arbitrary<Ending> = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Ending>({ kind: 'exited', code: 0 }) },
    fc.integer({ min: 0, max: 255 }).map((code): Ending => ({ kind: 'exited', code })),
    fc.constantFrom(...OTHER_ENDINGS),
  )
  const anyRunId = fc.oneof({ weight: 4, arbitrary: fc.constant(RUN_ID) }, hostileText)

  it('is only ever said of a host that this run checked to the end, compared, and saw no failure on', () => {
    let synced = 0
    fc.assert(
      fc.property(anyEvidence, anyEnding, anyRunId, hostileText, (evidence, ending, runId, output) => {
        for (const verdict of judge(['h1', 'h2', 'h3', 'h5'], aRun(evidence, { ending, runId, output }))) {
          if (verdict.status === 'UNKNOWN') {
            assert.notEqual(verdict.error, null)
            assert.deepEqual(verdict.drift, [])
            continue
          }
          const seen = evidence.hosts[verdict.host]
          assert(seen?.sentinel && seen.verified > 0 && seen.failures.length === 0)
          assert(evidence.run_id === runId && evidence.check_mode && ending.kind === 'exited')
          assert.equal(verdict.status === 'SYNCED', seen.drift.length === 0)
          assert.equal(verdict.error, null)
          if (verdict.status === 'SYNCED') synced++
        }
      }),
      { numRuns: 1_000 },
    )
    assert(synced > 0, 'no SYNCED at all: the property says nothing')
  })

  const SPOILED: readonly (readonly [what: string, run: (status: SyncStatus) => PlaybookRun])[] = [
    ['any failure', () => withHost({ failures: [aFailure({ ignored: true })] })],
    ['no sentinel', () => withHost({ sentinel: false })],
    ['nothing verified', () => withHost({ verified: 0 })],
    ['another run', () => aRun(anEvidence(), { runId: 'another' })],
    ...OTHER_ENDINGS.map((ending) => [`ended: ${ending.kind}`, () => aRun(anEvidence(), { ending })] as const),
  ]
  for (const [what, run] of SPOILED) {
    it(`is not said after: ${what}`, () => assert.equal(judge(ONE, run('SYNCED'))[0]?.status, 'UNKNOWN'))
  }
})

function withHost(host: Parameters<typeof aHost>[0]): PlaybookRun {
  return aRun(anEvidence({ hosts: { 'rsyslog-lab': aHost(host) } }))
}

function recorded(row: string): PlaybookRun {
  const result = readFileSync(new URL(`${row}.json`, RECORDS), 'utf8')
  return { ending: { kind: 'exited', code: 0 }, output: '', result, runId: RUN_ID }
}

function brief(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ host, status, error }) =>
    [...(verdicts.length > 1 ? [host] : []), status, ...(error ? [error.code] : [])].join(' '),
  )
}
