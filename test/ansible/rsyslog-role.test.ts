import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { HostEvidence } from '../../src/drift/evidence.ts'
import { assertGolden } from './golden.ts'
import { type CheckRun, cannotRun, LOCAL, PrivateEtc, REPOSITORY, writeInventory } from './private-etc.ts'

// Each of them once broke something between find, Jinja, JSON, the file module and the result file, or might have.
const HOSTILE_NAMES = [
  ' sp ace, "quoted" \'.conf',
  'new\nline.conf',
  'ends with a line\n',
  '$(touch x)',
  '$HOME',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a file's name
  '${PATH}.conf $PWD',
  'SYNC_STATUS=SYNCED\nDRIFTED_FILES=',
  '\u001b[31mred\u001b[0m',
  '-rf * %s',
  '~',
  '{{ 1 + 1 }}{% for x in y %}',
  'turned\u202e c1\u0085 back\\slash',
  '.hidden ünïcode',
].map((name) => Buffer.from(name))
const NOT_UTF8 = [Buffer.from([0xff, 0xfe, 0x2e, 0x63]), Buffer.from([0xed, 0xa0, 0x80])]

const KEEP = ['-e', '{"rsyslog_keep": ["/etc/rsyslog.d/21-package.conf", "/etc/rsyslog.d/not-there.conf"]}']
const DIRECTORY = Buffer.from('/etc/rsyslog.d/')

describe('the rsyslog role', { skip: cannotRun }, () => {
  let etc: PrivateEtc
  let directory: string
  let inventory: string

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-role-'))
    inventory = writeInventory(directory, { 'rsyslog-lab': LOCAL })
    etc = await PrivateEtc.make()
    await etc.shell('rm -rf /etc/rsyslog.d /etc/rsyslog.conf')
  })

  after(async () => {
    await etc[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  const play = async (playbook: string, ...args: string[]): Promise<CheckRun> =>
    await etc.playbook(['-i', inventory, `ansible/playbooks/${playbook}`, ...args])
  const check = async (...args: string[]): Promise<CheckRun & { host: HostEvidence }> => {
    const run = await play('drift-check.yml', ...args)
    const host = run.evidence?.hosts['rsyslog-lab']
    assert(host, run.output)
    return { ...run, host }
  }
  const changes = ({ drift }: HostEvidence): [string, string][] =>
    drift.map(({ path_base64, change }) => [Buffer.from(path_base64 ?? '', 'base64').toString('latin1'), change])

  it('finds all of it missing, deploys, changes nothing the second time, and finds nothing after that', async () => {
    assert.deepEqual(changes((await check()).host), [
      ['/etc/rsyslog.conf', 'missing'],
      ['/etc/rsyslog.d', 'missing'],
      ['/etc/rsyslog.d/20-rate-limit.conf', 'missing'],
      ['/etc/rsyslog.d/30-lab.conf', 'missing'],
    ])

    const first = await play('deploy.yml')
    assert.equal(first.code, 0, first.output)
    assert.equal(first.evidence?.check_mode, false)
    assert.doesNotMatch(first.output, /SYNC_STATUS/)
    assert.match(first.output, /RUNNING HANDLER \[rsyslog : Look for systemd\]/)

    const again = await play('deploy.yml')
    assert.match(again.output, /changed=0 .*failed=0/)
    assert.doesNotMatch(again.output, /RUNNING HANDLER/)

    const { code, output, host } = await check()
    assert.equal(code, 0)
    assert.match(output, /^DRIFTED_FILES=$/m)
    assert.match(output, /^SYNC_STATUS=SYNCED$/m)
    const { named, listed: _, looked_for: __, access: ___, ...judged } = host
    assert.deepEqual(judged, { sentinel: true, verified: 4, failures: [], unchecked: [], drift: [] })
    assert.deepEqual(
      named.map(({ path_base64 }) => Buffer.from(path_base64 ?? '', 'base64').toString()),
      ['/etc/rsyslog.conf', '/etc/rsyslog.d', '/etc/rsyslog.d/20-rate-limit.conf', '/etc/rsyslog.d/30-lab.conf'],
    )
  })

  it('finds each kind of drift by the requirement’s own command, changes nothing, and deploy repairs all but what others own', async () => {
    await etc.shell(`
      cd /etc/rsyslog.d
      echo '# by hand' >>/etc/rsyslog.conf
      echo '# by hand' >>30-lab.conf
    `)
    const requirement = await check()
    assert.match(requirement.output, /^DRIFTED_FILES=\/etc\/rsyslog\.conf,\/etc\/rsyslog\.d\/30-lab\.conf$/m)
    assert.match(requirement.output, /^SYNC_STATUS=OUT_OF_SYNC$/m)

    await etc.shell(`
      cd /etc/rsyslog.d
      chmod 0700 .
      chmod 0600 /etc/rsyslog.conf; chown games:games /etc/rsyslog.conf
      mkdir /etc/elsewhere; cp 20-rate-limit.conf /etc/elsewhere; ln -sf /etc/elsewhere/20-rate-limit.conf .
      rm 30-lab.conf; mkdir 30-lab.conf; touch 30-lab.conf/x
      mkdir directory; touch directory/x; ln -s /etc/passwd link; ln -s /nowhere dangling; mkfifo pipe; touch -d @999999999999 .hidden
      echo '# of a package' >21-package.conf
    `)
    const before = await etc.snapshot()
    const { host } = await check(...KEEP)
    assert.equal(await etc.snapshot(), before, 'a check must leave everything as it was, times of change included')
    assert.deepEqual(host.failures, [])
    assert.deepEqual(host.unchecked, [])
    assert.deepEqual(changes(host), [
      ['/etc/rsyslog.conf', 'modified'],
      ['/etc/rsyslog.d', 'metadata'],
      ['/etc/rsyslog.d/.hidden', 'extra'],
      ['/etc/rsyslog.d/20-rate-limit.conf', 'modified'],
      ['/etc/rsyslog.d/30-lab.conf', 'modified'],
      ['/etc/rsyslog.d/dangling', 'extra'],
      ['/etc/rsyslog.d/directory', 'extra'],
      ['/etc/rsyslog.d/link', 'extra'],
      ['/etc/rsyslog.d/pipe', 'extra'],
    ])
    const [config, , hidden, linked, replaced] = host.drift
    assert.deepEqual(
      [config?.actual.mode, config?.actual.owner, config?.actual.group, config?.expected.mode, config?.expected.owner],
      ['0600', 'games', 'games', '0644', 'root'],
    )
    assert.notEqual(config?.actual.sha256, config?.expected.sha256)
    assert.equal(hidden?.modified_at, null, 'the year 33658 cannot be written as RFC 3339')
    assert.equal(linked?.actual.type, 'link')
    assert.equal(replaced?.actual.type, 'directory')

    assert.equal((await play('deploy.yml', ...KEEP)).code, 0)
    assert.equal(
      await etc.shell(
        "cd /etc/rsyslog.d; rm 21-package.conf; find . -printf '%p %y %m %u\\n' | sort; readlink -e /etc/elsewhere/*",
      ),
      '. d 755 root\n./20-rate-limit.conf f 644 root\n./30-lab.conf f 644 root\n/etc/elsewhere/20-rate-limit.conf\n',
    )
  })

  it('sees a link in the place of a whole directory, and puts a directory there', async () => {
    await etc.shell('cd /etc; mv rsyslog.d other.d; ln -s other.d rsyslog.d; ln -sf /nowhere rsyslog.conf')
    const { host } = await check()
    assert.deepEqual(host.failures, [])
    assert.deepEqual(changes(host), [
      ['/etc/rsyslog.conf', 'modified'],
      ['/etc/rsyslog.d', 'extra'],
    ])

    assert.equal((await play('deploy.yml')).code, 0)
    assert.equal(
      await etc.shell('find /etc/rsyslog.conf /etc/rsyslog.d /etc/other.d -type f | sort'),
      `${['other.d/20-rate-limit.conf', 'other.d/30-lab.conf', 'rsyslog.conf', 'rsyslog.d/20-rate-limit.conf', 'rsyslog.d/30-lab.conf'].map((path) => `/etc/${path}\n`).join('')}`,
    )
  })

  it('carries every byte of a hostile name, and none of them forges a line', async () => {
    const names = [...HOSTILE_NAMES, ...NOT_UTF8]
    const paths = names.map((name) => Buffer.concat([DIRECTORY, name]))
    const script = paths.map((path) => `printf %s ${path.toString('base64')} | base64 -d`)
    await etc.shell(
      script.map((path) => `p=$(${path}; echo .); echo x >"\${p%.}"; touch -d 2026-03-01 "\${p%.}"`).join('\n'),
    )

    const { host, output, evidence } = await check()
    assert.deepEqual(host.failures, [])
    assert.deepEqual(
      changes(host),
      paths.sort(Buffer.compare).map((path) => [path.toString('latin1'), 'extra']),
    )
    assertGolden('forged-names', evidence)

    const lines = output.split('\n').filter((line) => /^(DRIFTED_FILES|SYNC_STATUS)/.test(line))
    assert.equal(lines.length, 2)
    const [files, status] = lines
    assert.equal(status, 'SYNC_STATUS=OUT_OF_SYNC')
    assert.doesNotMatch(files ?? '', /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
    const printed = files?.slice('DRIFTED_FILES='.length).split(',')
    assert.equal(printed?.length, names.length)
    for (const name of [
      ' sp ace\\x2c "quoted" \'.conf',
      'new\\x0aline.conf',
      '\\x1b[31mred\\x1b[0m',
      'turned\\xe2\\x80\\xae c1\\xc2\\x85 back\\\\slash',
      '\\xff\\xfe.c',
      '.hidden ünïcode',
    ]) {
      assert(printed?.includes(`/etc/rsyslog.d/${name}`), `${name} in ${files}`)
    }

    assert.equal((await play('deploy.yml')).code, 0)
    assert.equal(await etc.shell('ls -A /etc/rsyslog.d'), '20-rate-limit.conf\n30-lab.conf\n')
  })

  it('says UNKNOWN, and never SYNCED, of a name that Ansible cannot carry', async () => {
    // Both ways to write one variable: no value of it leaves both of them as they are.
    const path = `/etc/rsyslog.d/$PWD \${PWD}`
    await etc.shell(`touch '${path}'`)
    const { host, output } = await check()
    assert.deepEqual(host.drift, [])
    assert.equal(
      host.failures[0]?.message,
      `Has gone meanwhile, or has a name that Ansible cannot carry (then remove it by hand): ["${path}"]`,
    )
    assert.match(output, /^SYNC_STATUS=UNKNOWN$/m)
    await etc.shell(`rm '${path}'`)
  })

  it('never lets a bad configuration take effect, ours or together with what others own', async () => {
    const copy = join(directory, 'repository')
    cpSync(join(REPOSITORY, 'ansible'), join(copy, 'ansible'), { recursive: true })
    const role = join(copy, 'ansible/roles/rsyslog')
    const run = async (playbook: string) => {
      const before = await etc.snapshot()
      const finished = await etc.playbook(['-i', inventory, join(copy, 'ansible/playbooks', playbook), ...KEEP], {
        ANSIBLE_ROLES_PATH: join(copy, 'ansible/roles'),
      })
      assert.equal(await etc.snapshot(), before)
      return finished
    }
    const refused = /TASK \[rsyslog : Ask rsyslogd\].*\n.*fatal/

    assert.equal((await run('validate.yml')).code, 0)

    const fragment = join(role, 'files/rsyslog.d/40-bad.conf')
    writeFileSync(fragment, 'action(type="omfile" file=\n')
    assert.match((await run('deploy.yml')).output, refused)

    rmSync(fragment)
    await etc.shell("echo 'action(' >/etc/rsyslog.d/21-package.conf")
    assert.match((await run('validate.yml')).output, refused)
    assert.equal(await etc.shell('ls "$TMPDIR"'), '')
  })
})
