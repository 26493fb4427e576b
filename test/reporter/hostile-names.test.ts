import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseReport, type ReportBody } from '../../src/contract/report.ts'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'
import { type RunOutcome, runGitopsStatus, startRecorder, stored } from './check-run.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

// Real files in a directory that the role declares its own.
const NAMES: readonly Buffer[] = [
  'two words.conf',
  ' leading and trailing ',
  'a,b.conf',
  `'single' "double" \`back\`.conf`,
  'line\nbreak.conf',
  '\nDRIFTED_FILES=\nSYNC_STATUS=SYNCED\n',
  'DRIFTED_FILES=',
  '$(touch x).conf',
  '{{ 7 * 7 }}.conf',
  '$\u007bHOME}.conf',
  '$HOME',
  '-rf',
  '*.conf',
  'back\\slash\\x0a.conf',
  '\u001b[2J\u001b[31mred.conf',
  '\u009b2J.conf',
  'turned\u202efnoc.conf',
  'Größe-日本-🙂.conf',
  '<img src=x onerror=alert(1)>',
  '%41.conf',
]
  .map((name) => Buffer.from(name))
  .concat([Buffer.from([0x61, 0xff, 0xfe, 0x62]), Buffer.from([0xe2, 0x82]), Buffer.from([0x7f, 0x01, 0x1f])])

const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe('names that somebody gave files on a real server', () => {
  let server: LabServer
  let directory: string
  let checked: RunOutcome
  let asJson: RunOutcome
  let reported: RunOutcome
  const sent: ReportBody[] = []

  before(async () => {
    server = await startLabServer({ name: 'rsyslog-lab' })
    directory = mkdtempSync(join(tmpdir(), 'hostile-names-'))
    cpSync(join(ROOT, 'ansible'), join(directory, 'ansible'), { recursive: true })
    cpSync(join(ROOT, 'ansible.cfg'), join(directory, 'ansible.cfg'))
    for (const name of NAMES) {
      const made = await server.run('mkdir -p /etc/rsyslog.d && : >"/etc/rsyslog.d/$1"', { args: [name] })
      assert.equal(made.code, 0, made.stderr)
    }
    await using recorder = await startRecorder(stored)
    const env = {
      HOME: directory,
      ANSIBLE_CONFIG: 'ansible.cfg',
      GITOPS_STATUS_SERVER_URL: recorder.url,
      REPO_NAME: 'rsyslog',
      SSH_PRIVATE_KEY: server.privateKey,
      SSH_KNOWN_HOSTS: server.knownHosts,
      ANSIBLE_SSH_COMMON_ARGS: `-F ${server.sshConfigForAgent}`,
    }
    const run = (...args: string[]) => runGitopsStatus({ directory, args, env })
    ;[checked, asJson, reported] = await Promise.all([
      run('check', '--verbose'),
      run('check', '--output', 'json'),
      run('report'),
    ])
    sent.push(...recorder.reports)
  })
  after(async () => {
    await server?.stop()
    if (directory) rmSync(directory, { recursive: true, force: true })
  })

  it('come through as data, byte for byte', () => {
    assert.equal(reported.code, 0, reported.stderr)
    const [body] = sent
    assert(body)
    const expected = NAMES.map((name) => Buffer.concat([Buffer.from('rsyslog.d/'), name]).toString('hex')).sort()
    const extra = body.files.filter(({ change }) => change === 'extra')

    assert.deepEqual(
      extra
        .map(rawName)
        .filter((name) => expected.includes(name))
        .sort(),
      expected,
    )
    assert.equal(body.drift_count, body.files.length)
  })

  it("pass the server's own reading, without a warning", () => {
    const parsed = parseReport(sent[0])
    if ('problems' in parsed) assert.fail(JSON.stringify(parsed.problems))
    assert.deepEqual(parsed.warnings, [])
  })

  it('are the same in `check --output json`, which stays one JSON document', () => {
    const [body]: ReportBody[] = JSON.parse(asJson.stdout).reports
    assert.deepEqual(body?.files.map(rawName), sent[0]?.files.map(rawName))
  })

  it('print harmlessly: nothing that was printed moves a cursor or forges a line', () => {
    for (const { stdout, stderr } of [checked, asJson, reported]) {
      // --verbose shows what is in files, and there a tab is a tab.
      for (const line of `${stdout}\n${stderr}`.split(/[\n\t]/)) assert.doesNotMatch(line, NOT_PRINTABLE)
    }
    const shown = checked.stdout.split('\n')
    assert(
      shown.includes('    + /etc/rsyslog.d/\\x0aDRIFTED_FILES=\\x0aSYNC_STATUS=SYNCED\\x0a (extra)'),
      checked.stdout,
    )
    assert.deepEqual(
      shown.filter((line) => /^(DRIFTED_FILES|SYNC_STATUS)=/.test(line)),
      [],
    )
  })

  it('have run nothing', async () => {
    const { stdout } = await server.run('ls / /root /tmp /etc/rsyslog.d/x 2>/dev/null | grep -x x')
    assert.equal(stdout, '')
  })
})

function rawName({ name, name_base64 }: ReportBody['files'][number]): string {
  return (name_base64 === undefined ? Buffer.from(name) : Buffer.from(name_base64, 'base64')).toString('hex')
}
