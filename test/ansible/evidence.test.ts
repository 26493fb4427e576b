import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DriftEvidence, Evidence, HostEvidence } from '../../src/drift/evidence.ts'
import { assertGolden, evidenceOf } from './golden.ts'
import {
  AS_IF_SSH,
  type CheckRun,
  cannotRun,
  DOWN,
  LOCAL,
  PrivateEtc,
  REPOSITORY,
  writeInventory,
} from './private-etc.ts'

const ROWS = [
  'clean',
  'content-drift',
  'mode-drift',
  'content-and-mode-drift',
  'missing',
  'extra',
  'ignored-failure',
  'rescued',
  'failed-when-false',
  'ignore-unreachable',
  'changed-when-false-with-diff',
  'no-log-drift',
  'all-skipped',
]
const OTHER_HOSTS = [
  'failed-when-harmless',
  'changed-when-false-without-diff',
  'changed-when-false-on-link',
  'handlers',
  'paths',
  'names',
]

const AN_SSH_HOST = `${AS_IF_SSH} ansible_host=192.0.2.7 ansible_python_interpreter=/usr/bin/python3`
const JUMP = `ansible_ssh_common_args='-J jump.example -o ControlMaster=auto -o "ProxyCommand=nc %h 22" -S none'`
const REACHED = {
  'by-variables': `${AN_SSH_HOST} ansible_port="{{ 2200 + 22 }}" ansible_user=deploy ansible_ssh_private_key_file=~/key ${JUMP}`,
  'by-the-play': AN_SSH_HOST,
  'by-sudo': `${AN_SSH_HOST} ansible_become=true`,
  'by-su': `${AN_SSH_HOST} ansible_become=true ansible_become_method=su`,
  'by-sudo-with-password': `${AN_SSH_HOST} ansible_become=true ansible_become_password=hunter2`,
  'by-both': AN_SSH_HOST,
  'by-secret-arguments': `${AN_SSH_HOST} ansible_ssh_common_args='-o "ProxyCommand=sshpass -p hunter2 ssh jump"'`,
}

// As the requirement's file was: written before anybody's clock of today, so that golden files stay the same.
const SET_UP_ROWS = `
  mkdir -p /etc/rows/directory
  cd /etc/rows
  for file in clean mode-drift; do echo 'as in Git' >$file; done
  for file in content-drift content-and-mode-drift extra; do echo 'by hand' >$file; done
  ln -s clean link
  echo 'a file with equal text' >hunter2
  chmod 0600 mode-drift content-and-mode-drift
  chown games mode-drift content-and-mode-drift
  touch -d 2026-03-01T03:00:00Z *
`

describe('the evidence of a run in check mode', { skip: cannotRun }, () => {
  let etc: PrivateEtc
  let directory: string
  let run: CheckRun

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-evidence-'))
    etc = await PrivateEtc.make()
    await etc.shell(SET_UP_ROWS)
    mkdirSync(join(directory, 'copied'))
    for (const name of ['one', 'two']) writeFileSync(join(directory, 'copied', name), name)
    const hosts = [...ROWS, ...OTHER_HOSTS].map((host) => [host, host === 'ignore-unreachable' ? DOWN : LOCAL] as const)
    const inventory = writeInventory(directory, { ...Object.fromEntries(hosts), ...REACHED })
    appendFileSync(inventory, `[reached]\n${Object.keys(REACHED).join('\n')}\n[reached_otherwise]\nby-both\n`)
    run = await etc.playbook(['--check', '--diff', '-i', inventory, 'test/ansible/rows.yml'])
  })

  after(async () => {
    await etc[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  const host = (name: string): HostEvidence => {
    const seen = run.evidence?.hosts[name]
    assert(seen, `${name} is not in the evidence:\n${run.output}`)
    return seen
  }

  for (const row of ROWS) {
    it(`is as recorded for the row: ${row}`, () => assertGolden(row, evidenceOf(row, run.evidence)))
  }

  it('appends the sentinel play to a playbook that has none, and every host that answers passes it', () => {
    assert.match(run.output, /PLAY \[gitops-status sentinel\]/)
    assert.deepEqual(
      [...ROWS, ...OTHER_HOSTS].filter((name) => !host(name).sentinel),
      ['ignore-unreachable'],
    )
  })

  it('takes a failed_when for harmless only where the result shows success', () => {
    assert.deepEqual(host('failed-when-harmless').failures, [])
    assert.equal(host('failed-when-harmless').verified, 1)
    assert.deepEqual(
      host('failed-when-false').failures.map(({ task, ignored }) => [task, ignored]),
      [
        ['Run what fails', true],
        ['Write into a directory that is not there', true],
      ],
    )
  })

  it('names what a changed_when hides where no diff tells', () => {
    const { named: _, listed: __, looked_for: ___, access: ____, ...judged } = host('changed-when-false-without-diff')
    assert.deepEqual(judged, {
      sentinel: true,
      verified: 1,
      failures: [],
      unchecked: [{ task: 'Write the other file', reason: 'verdict_overridden' }],
      drift: [],
    })
  })

  it('sees a link in the place of a file even where the text is equal and changed_when says false', () => {
    const [drift] = host('changed-when-false-on-link').drift
    assert.equal(drift?.change, 'modified')
    assert.equal(drift?.actual.type, 'link')
  })

  it('never takes a handler for drift, but its failure for a failure', () => {
    const { drift, failures } = host('handlers')
    assert.deepEqual(drift.map(pathOf), ['/etc/rows/content-drift'])
    assert.deepEqual(failures, [{ task: 'Restart', kind: 'failed', ignored: true, message: 'no such service' }])
  })

  it('finds the path wherever a module tells it, and merges what several tasks say about one', () => {
    const seen = host('paths').drift.map((drift) => [pathOf(drift) ?? drift.task, drift.change])
    assert.deepEqual(seen, [
      ['/etc/rows/content-drift', 'modified'],
      ['/etc/rows/directory/rows.yml', 'missing'],
      ['/etc/rows/link', 'modified'],
      ['/etc/rows/mode-drift', 'metadata'],
      ['/etc/rows/new-directory', 'missing'],
      ['/etc/rows/slash/rows.yml', 'missing'],
      ['Write into a home directory', 'modified'],
      ['Write elsewhere', 'modified'],
      ['Say so', 'modified'],
    ])
    assert.deepEqual(
      host('paths').drift[0]?.expected,
      { mode: '0600' },
      'two tasks, neither of which has the last word',
    )
  })

  it('lets nothing of a no_log value out: not in the file, not in a line', () => {
    assert.doesNotMatch(JSON.stringify(evidenceOf('no-log-drift', run.evidence)), /hunter2/)
    const lines = run.output.split('\n').filter((line) => line.startsWith('no-log-drift '))
    assert.equal(lines.length >= 2, true)
    assert.doesNotMatch(lines.join('\n'), /hunter2/)
  })

  it('says of each result which path it was about, what of it was compared, or why it names none', () => {
    assert.deepEqual(
      host('names').named.map((named) => [named.task, pathOf(named) ?? named.why, named.compares.join(' ')]),
      [
        ['Write the file', '/etc/rows/clean', 'content mode owner'],
        ['Write over the file', '/etc/rows/content-drift', 'content'],
        ['Write it only once', 'more_than_bytes', ''],
        ['Write a directory', 'directory_copy', ''],
        ['Change a line', '/etc/rows/clean', 'part_of_content mode'],
        ['Set the mode', '/etc/rows/clean', 'mode'],
        ['Set the mode', 'more_than_bytes', ''],
        ['Link', '/etc/rows/link', 'content'],
        ['Set the mode of all', 'more_than_bytes', ''],
        ['Set up the user', 'no_path', ''],
        ['Keep a secret', 'no_log', ''],
      ],
    )
  })

  it('gives the hash of what it found clean, and no other', () => {
    const sha1 = createHash('sha1').update('as in Git\n').digest('hex')
    assert.deepEqual(
      host('names').named.flatMap((named) => (named.sha1 === null ? [] : [[named.task, named.sha1]])),
      [['Write the file', sha1]],
    )
  })

  it('says which directories a task listed, and which names it looked for', () => {
    const { listed, looked_for } = host('names')
    assert.deepEqual(
      listed.map((one) => [pathOf(one), one.recurse]),
      [
        ['/etc/rows/copied', true],
        ['/etc/rows/directory', true],
      ],
    )
    assert.deepEqual(looked_for.map((path) => Buffer.from(path, 'base64').toString()).sort(), [
      '/etc/rows/clean',
      '/etc/rows/nologin',
    ])
  })

  it('tells of a play that ended early for a host', () => {
    assert.deepEqual(host('names').unchecked, [{ task: 'What the results name', reason: 'ended_early' }])
  })

  it('says how a host is reached without Ansible, or why it cannot be', () => {
    const plain = {
      host: '192.0.2.7',
      port: null,
      user: 'from-the-play',
      keyFile: null,
      sshArgs: ['-o', 'GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts ansible/known_hosts'],
      python: '/usr/bin/python3',
      become: null,
    }
    const access = Object.fromEntries(Object.keys(REACHED).map((name) => [name, host(name).access]))
    const { 'by-variables': byVariables, ...others } = access
    assert(byVariables && 'keyFile' in byVariables)
    assert.match(byVariables.keyFile ?? '', /^\/.*\/home\/key$/)
    assert.deepEqual(
      { ...byVariables, keyFile: null },
      { ...plain, port: 2222, user: 'deploy', sshArgs: ['-J', 'jump.example', '-o', 'ProxyCommand=nc %h 22'] },
    )
    assert.deepEqual(others, {
      'by-the-play': plain,
      'by-sudo': { ...plain, become: 'root' },
      'by-su': { why: 'it becomes another user by su' },
      'by-sudo-with-password': { why: 'it becomes another user with a password' },
      'by-both': { why: 'its tasks reach it in different ways' },
      'by-secret-arguments': { why: 'its arguments for ssh speak of a password' },
    })
    assert.doesNotMatch(JSON.stringify(access), /hunter2/)
  })

  it('prints a pair of lines per host, which names it', () => {
    assert.match(run.output, /^content-drift DRIFTED_FILES=\/etc\/rows\/content-drift$/m)
    assert.match(run.output, /^content-drift SYNC_STATUS=OUT_OF_SYNC$/m)
    assert.match(run.output, /^clean DRIFTED_FILES=$/m)
    assert.match(run.output, /^clean SYNC_STATUS=SYNCED$/m)
    assert.match(run.output, /^rescued SYNC_STATUS=UNKNOWN$/m)
    assert.match(run.output, /^rescued SYNC_STATUS_REASON=failed in task "Fail": rescued$/m)
  })

  describe('of a run that was cut short or looked at nothing', () => {
    const check = async (play: string, hosts: Record<string, string>, ...args: string[]): Promise<CheckRun> => {
      const playbook = join(directory, 'site.yml')
      writeFileSync(playbook, play)
      return await etc.playbook(['--check', '--diff', '-i', writeInventory(directory, hosts), playbook, ...args], {
        ANSIBLE_CONFIG: join(REPOSITORY, 'ansible.cfg'),
      })
    }
    const oneDown = { 'server-1': DOWN, 'server-2': LOCAL, 'server-3': LOCAL }
    const task = `
  tasks:
    - name: Write the file
      ansible.builtin.copy: {content: "as in Git\\n", dest: /etc/rows/clean, mode: "0644"}
      tags: [files]
`
    const sentinels = (evidence: Evidence | null) =>
      Object.entries(evidence?.hosts ?? {}).map(([name, { sentinel }]) => [name, sentinel])

    it('is as recorded for the row: one-of-three-down', async () => {
      const { evidence, output } = await check(`- hosts: all\n  gather_facts: false${task}`, oneDown)
      assertGolden('one-of-three-down', evidence)
      assert.deepEqual(sentinels(evidence), [
        ['server-1', false],
        ['server-2', true],
        ['server-3', true],
      ])
      assert.match(output, /^server-1 SYNC_STATUS=UNKNOWN$/m)
      assert.match(output, /^server-2 SYNC_STATUS=SYNCED$/m)
    })

    it('is as recorded for the row: any-errors-fatal', async () => {
      const play = `- hosts: all\n  gather_facts: false\n  any_errors_fatal: true${task}`
      const { evidence, output } = await check(play, oneDown)
      assertGolden('any-errors-fatal', evidence)
      assert.deepEqual(
        sentinels(evidence).map(([, reached]) => reached),
        [false, false, false],
      )
      assert.doesNotMatch(output, /SYNC_STATUS=SYNCED/)
    })

    it('is as recorded for the row: serial-first-host-down', async () => {
      const { evidence, output } = await check(`- hosts: all\n  gather_facts: false\n  serial: 1${task}`, oneDown)
      assertGolden('serial-first-host-down', evidence)
      assert.deepEqual(sentinels(evidence), [
        ['server-1', false],
        ['server-2', false],
        ['server-3', false],
      ])
      assert.doesNotMatch(output, /SYNC_STATUS=SYNCED/)
    })

    it('is as recorded for the row: empty-tags', async () => {
      const { evidence, output } = await check(
        `- hosts: all\n  gather_facts: false${task}`,
        { 'rsyslog-lab': LOCAL },
        '--tags',
        'no-such-tag',
      )
      assertGolden('empty-tags', evidence)
      assert.deepEqual(evidence?.selection, ['--tags no-such-tag'])
      assert.equal(evidence?.hosts['rsyslog-lab']?.verified, 0)
      assert.match(output, /^SYNC_STATUS=UNKNOWN$/m)
    })

    it('names a play that is for hosts that nobody is', async () => {
      const { evidence } = await check(
        `- hosts: all\n  gather_facts: false${task}\n- name: Mistyped\n  hosts: webservres\n  gather_facts: false${task}`,
        { 'rsyslog-lab': LOCAL },
      )
      const seen = evidence?.hosts['rsyslog-lab']
      assert.deepEqual(seen?.unchecked, [{ task: 'Mistyped', reason: 'no_host_matched' }])
      assert.deepEqual([seen.sentinel, seen.verified, seen.failures], [true, 1, []])
    })

    it('has no sentinel where the tag that it hangs on is skipped', async () => {
      const play = `- hosts: all\n  gather_facts: false${task}`
      const { evidence } = await check(play, { 'rsyslog-lab': LOCAL }, '--skip-tags', 'always')
      assert.deepEqual(evidence?.selection, ['--skip-tags always'])
      assert.equal(evidence?.hosts['rsyslog-lab']?.sentinel, false)
    })
  })
})

describe('a run that is no drift check', { skip: cannotRun }, () => {
  it('prints nothing of ours, and writes down that it was none, when one play of several is not in check mode', async () => {
    await using etc = await PrivateEtc.make()
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-evidence-'))
    try {
      const playbook = join(directory, 'site.yml')
      const play = (checkMode: boolean) =>
        `- hosts: all\n  gather_facts: false\n  check_mode: ${checkMode}\n  tasks: [ansible.builtin.ping: {}]\n`
      writeFileSync(playbook, `${play(true)}${play(false)}`)
      const inventory = writeInventory(directory, { 'rsyslog-lab': LOCAL })
      const run = await etc.playbook(['-i', inventory, playbook], {
        ANSIBLE_CONFIG: join(REPOSITORY, 'ansible.cfg'),
      })
      assert.equal(run.code, 0)
      assert.equal(run.evidence?.check_mode, false)
      assert.doesNotMatch(run.output, /SYNC_STATUS|DRIFTED_FILES|sentinel/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

function pathOf({ path_base64 }: Pick<DriftEvidence, 'path_base64'>): string | null {
  return path_base64 === null ? null : Buffer.from(path_base64, 'base64').toString()
}
