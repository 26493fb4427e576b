import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DriftEvidence, HostEvidence } from '../../src/drift/evidence.ts'
import { parseEvidence } from '../../src/drift/evidence.ts'
import { reportBody } from '../../src/reporter/report-body.ts'
import { aVerdict } from '../reporter/evidence-builder.ts'
import { cannotRun, LOCAL, PrivateEtc, writeInventory } from './private-etc.ts'

const SET_UP = `
  mkdir /etc/texts
  cd /etc/texts
  for file in plain no-diff no-log vaulted encrypted; do echo 'by hand' >$file; done
  printf 'server = a\\npassword by hand\\nport = 1\\nend\\n' >vaulted
  printf 'one\\ntwo\\nthree\\n' >lines
  printf 'a\\0b' >binary
  head -c 200000 /dev/zero | tr '\\0' a >large
`

const PLAYBOOK = `
- hosts: all
  gather_facts: false
  vars_files: [secret.yml]
  tasks:
    - ansible.builtin.copy: { content: "as in Git\\n", dest: /etc/texts/plain }
    - ansible.builtin.copy: { content: "hidden kestrel\\n", dest: /etc/texts/no-diff }
      diff: false
    - ansible.builtin.copy: { content: "hidden kestrel\\n", dest: /etc/texts/no-log }
      no_log: true
    - ansible.builtin.copy:
        content: "server = a\\n{{ from_file }}\\n{{ together }}\\n{{ inline | b64encode }}\\nend\\n"
        dest: /etc/texts/vaulted
    - ansible.builtin.copy: { src: encrypted, dest: /etc/texts/encrypted }
    - ansible.builtin.lineinfile: { path: /etc/texts/lines, line: "first of Git" }
    - ansible.builtin.lineinfile: { path: /etc/texts/lines, line: "second of Git", insertbefore: BOF }
    - ansible.builtin.copy: { content: "text\\n", dest: /etc/texts/binary }
    - ansible.builtin.copy: { content: "text\\n", dest: /etc/texts/large }
    - ansible.builtin.debug: { msg: "no file" }
      changed_when: true
`

describe('the texts of a run that was asked for them', { skip: cannotRun }, () => {
  let etc: PrivateEtc
  let directory: string
  let result: string
  let host: HostEvidence

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-texts-'))
    const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
    mkdirSync(join(directory, 'files'))
    write('password', 'of the vault\n')
    write('secret.yml', 'from_file: falcon-of-the-file\ntogether: "with {{ inline }} in it"\n')
    write('files/encrypted', 'falcon-of-a-whole-file\n')
    write('inline', 'falcon-inline')
    etc = await PrivateEtc.make()
    await etc.shell(SET_UP)
    const vault = ['--vault-password-file', join(directory, 'password')]
    const files = ['secret.yml', 'files/encrypted', 'inline'].map((name) => join(directory, name))
    const { code, output } = await etc.run(['ansible-vault', 'encrypt', ...vault, ...files])
    assert.equal(code, 0, output)
    const inline = readFileSync(join(directory, 'inline'), 'utf8').replace(/^/gm, '    ')
    mkdirSync(join(directory, 'group_vars'))
    write('group_vars/all.yml', `inline: !vault |\n${inline}\n`)
    write('site.yml', PLAYBOOK)
    const inventory = writeInventory(directory, { 'web-1': LOCAL })
    const run = await etc.playbook(['--check', '--diff', '-i', inventory, ...vault, join(directory, 'site.yml')], {
      GITOPS_STATUS_DIFF: '1',
    })
    result = JSON.stringify(run.evidence)
    const seen = parseEvidence(result)?.hosts['web-1']
    assert.ok(seen, run.output)
    host = seen
  })

  after(async () => {
    await etc[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  function drift(name: string): DriftEvidence | undefined {
    return host.drift.find(
      ({ path_base64 }) => Buffer.from(path_base64 ?? '', 'base64').toString() === `/etc/texts/${name}`,
    )
  }

  it('are those that Ansible shows, of the server and of Git', () => {
    assert.deepEqual(drift('plain')?.texts, [{ server: 'by hand\n', git: 'as in Git\n' }])
  })

  it('are not there for a task with no_log or diff: false', () => {
    assert.equal(drift('no-diff')?.texts, undefined)
    assert.doesNotMatch(result, /kestrel/)
  })

  it('are of each task that would change a file', () => {
    assert.deepEqual(
      drift('lines')?.texts?.map(({ git }) => git),
      ['one\ntwo\nthree\nfirst of Git\n', 'second of Git\none\ntwo\nthree\n'],
    )
  })

  it('are left out, and say why, where a file comes from a vault, is no text, or is too large', () => {
    const reasons = ['encrypted', 'binary', 'large'].map((name) => [drift(name)?.text_left_out, drift(name)?.texts])
    assert.deepEqual(reasons, [
      ['vault', undefined],
      ['binary', undefined],
      ['too_large', undefined],
    ])
    assert.doesNotMatch(result, /falcon-of-a-whole-file/)
  })

  it('name what in them came from a vault', () => {
    assert.deepEqual(drift('vaulted')?.vaulted, ['falcon-inline', 'falcon-of-the-file'])
  })

  it('become a report that has nothing of a vault, and nothing of what stands in its place', () => {
    const context = { repo: 'r', startedAt: new Date(), durationMs: 1, intervalSeconds: null, origin: { name: 'test' } }
    const { files } = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift: host.drift }), context)
    const diffs = Object.fromEntries(files.map(({ name, diff }) => [name, diff]))
    assert.equal(diffs['texts/plain'], '--- in Git\n+++ on the server\n@@ -1 +1 @@\n-as in Git\n+by hand')
    assert.equal(diffs['texts/encrypted'], '\\ Left out: the file comes from a vault')
    assert.equal(
      diffs['texts/vaulted'],
      [
        '--- in Git',
        '+++ on the server',
        '@@ -1,5 +1,4 @@',
        ' server = a',
        '-‹redacted›',
        '-with ‹redacted› in it',
        '-‹redacted›',
        '+‹redacted›',
        '+‹redacted›',
        ' end',
      ].join('\n'),
    )
  })
})
