import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Evidence } from '../../src/drift/evidence.ts'
import { cannotRun, LOCAL, PrivateEtc, REPOSITORY, writeInventory } from './private-etc.ts'

const GOLDEN = new URL('../golden/evidence/', import.meta.url)
const PLUGIN = join(REPOSITORY, 'ansible/callback_plugins/gitops_status.py')

describe('the callback plugin as a script', () => {
  it('says the status of each recorded row, and SYNCED of the clean ones only', () => {
    const hosts = readdirSync(GOLDEN).flatMap((file) => {
      const { hosts }: Evidence = JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'))
      return Object.entries(hosts).map(([host, seen]) => [`${file.replace('.json', '')} ${host}`, seen] as const)
    })
    const input = JSON.stringify({ hosts: Object.fromEntries(hosts) })
    // An isolated Python without its site directory finds no module of Ansible's.
    const { status, stdout, stderr } = spawnSync('python3', ['-I', '-S', PLUGIN], { input, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const unknown = 'UNKNOWN'
    const drifted = 'OUT_OF_SYNC'
    assert.deepEqual(JSON.parse(stdout), {
      'all-skipped rsyslog-lab': unknown,
      'any-errors-fatal server-1': unknown,
      'any-errors-fatal server-2': unknown,
      'any-errors-fatal server-3': unknown,
      'changed-when-false-with-diff rsyslog-lab': drifted,
      'clean rsyslog-lab': 'SYNCED',
      'content-and-mode-drift rsyslog-lab': drifted,
      'content-drift rsyslog-lab': drifted,
      'empty-tags rsyslog-lab': unknown,
      'extra rsyslog-lab': drifted,
      'failed-when-false rsyslog-lab': unknown,
      'forged-names rsyslog-lab': drifted,
      'ignore-unreachable rsyslog-lab': unknown,
      'ignored-failure rsyslog-lab': unknown,
      'missing rsyslog-lab': drifted,
      'mode-drift rsyslog-lab': drifted,
      'no-log-drift rsyslog-lab': drifted,
      'one-of-three-down server-1': unknown,
      'one-of-three-down server-2': 'SYNCED',
      'one-of-three-down server-3': 'SYNCED',
      'rescued rsyslog-lab': unknown,
      'serial-first-host-down server-1': unknown,
      'serial-first-host-down server-2': unknown,
      'serial-first-host-down server-3': unknown,
    })
  })
})

describe('the callback plugin with a playbook of somebody else', { skip: cannotRun }, () => {
  let etc: PrivateEtc
  let directory: string
  let parts: string

  before(async () => {
    etc = await PrivateEtc.make()
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-callback-'))
    parts = join(directory, 'parts')
    for (const part of ['callback_plugins', 'library', 'playbooks']) {
      cpSync(join(REPOSITORY, 'ansible', part), join(parts, part), { recursive: true })
    }
    writeFileSync(
      join(directory, 'site.yml'),
      `
- hosts: all
  gather_facts: false
  tasks:
    - name: Write the file
      ansible.builtin.copy: {content: "as in Git\\n", dest: /etc/of-a-user.conf, mode: "0644"}
`,
    )
    writeFileSync(join(directory, 'ansible.cfg'), '')
  })

  after(async () => {
    await etc[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  const check = async (env: Record<string, string> = {}) =>
    await etc.playbook(
      ['--check', '--diff', '-i', writeInventory(directory, { 'rsyslog-lab': LOCAL }), join(directory, 'site.yml')],
      {
        ANSIBLE_CONFIG: join(directory, 'ansible.cfg'),
        ANSIBLE_CALLBACK_PLUGINS: join(parts, 'callback_plugins'),
        ...env,
      },
    )

  it('needs no setting but where it is, and finds its sentinel and its module from there', async () => {
    const { evidence, output } = await check({ ANSIBLE_FORCE_COLOR: 'true' })
    const host = evidence?.hosts['rsyslog-lab']
    assert.equal(host?.sentinel, true, output)
    assert.deepEqual(
      host?.drift.map(({ change, path_base64 }) => [change, path_base64]),
      [['missing', Buffer.from('/etc/of-a-user.conf').toString('base64')]],
    )
    assert.match(output, /^DRIFTED_FILES=\/etc\/of-a-user\.conf\nSYNC_STATUS=OUT_OF_SYNC$/m)
  })

  it('prints UNKNOWN, and not nothing, for a run without a host', async () => {
    const playbook = join(REPOSITORY, 'ansible/playbooks/drift-check.yml')
    const { evidence, output } = await etc.playbook(['-i', '/dev/null', playbook])
    assert.deepEqual(evidence?.hosts, {}, output)
    assert.match(output, /^DRIFTED_FILES=\nSYNC_STATUS=UNKNOWN\nSYNC_STATUS_REASON=the run had no host$/m)
  })

  it('leaves UNKNOWN where the sentinel cannot be appended', async () => {
    const { code, evidence, output } = await check({ GITOPS_STATUS_SENTINEL: join(directory, 'not-there.yml') })
    assert.equal(code, 0)
    assert.equal(evidence?.hosts['rsyslog-lab']?.sentinel, false)
    assert.match(output, /^SYNC_STATUS=UNKNOWN$/m)
  })

  it('takes a host that does not answer at the end for one that failed, and keeps what it knows', async () => {
    const library = join(directory, 'broken-library')
    mkdirSync(library)
    writeFileSync(join(library, 'gitops_status_inspect.py'), '#!/usr/bin/python\nraise SystemExit(1)\n')
    const { evidence, output } = await check({ GITOPS_STATUS_LIBRARY: library })
    const host = evidence?.hosts['rsyslog-lab']
    assert.equal(host?.sentinel, false, output)
    assert.deepEqual(
      host.failures.map(({ task, ignored }) => [task, ignored]),
      [['This host was checked to the end', false]],
    )
    assert.deepEqual(
      host.drift.map(({ change, actual }) => [change, actual]),
      [['modified', {}]],
    )
  })

  it('leaves out what a host could not have said of its paths', async () => {
    const library = join(directory, 'lying-library')
    mkdirSync(library)
    const facts = [7, { path_base64: 7 }, { path_base64: 'pb', owner: 12345, mtime: true, exists: 'no', mode: '0644' }]
    const answer = JSON.stringify({ changed: false, facts })
    writeFileSync(join(library, 'gitops_status_inspect.py'), `#!/usr/bin/python\nprint('''${answer}''')\n`)
    const { evidence, output } = await check({ GITOPS_STATUS_LIBRARY: library })
    const host = evidence?.hosts['rsyslog-lab']
    assert.deepEqual([host?.sentinel, host?.failures, host?.drift.length], [true, [], 1], output)
  })

  it('trusts none of its hosts when it fails to read a result itself', async () => {
    const plugin = join(parts, 'callback_plugins/gitops_status.py')
    const text = readFileSync(plugin, 'utf8')
    writeFileSync(plugin, text.replace('    def take(self, result):\n', '$&        raise KeyError("unforeseen")\n'))
    try {
      const { code, evidence, output } = await check()
      assert.equal(code, 0)
      assert.match(evidence?.hosts['rsyslog-lab']?.failures[0]?.message ?? output, /unforeseen/)
      assert.match(output, /^SYNC_STATUS=UNKNOWN$/m)
    } finally {
      writeFileSync(plugin, text)
    }
  })

  it('leaves no file, and Ansible unharmed, when the result cannot be written', async () => {
    const { code, output } = await check({
      GITOPS_STATUS_RESULT_FILE: join(directory, 'no-such-directory/result.json'),
    })
    assert.equal(code, 0)
    assert.match(output, /no result could be written/)
    assert.match(output, /^SYNC_STATUS=OUT_OF_SYNC$/m)
  })

  it('writes the result for its owner alone, whole, and with the id of the run', async () => {
    const file = join(directory, 'result.json')
    writeFileSync(file, 'left over', { mode: 0o644 })
    await check({ GITOPS_STATUS_RESULT_FILE: file, GITOPS_STATUS_RUN_ID: 'run-2' })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).run_id, 'run-2')
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })
})
