import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { knownHostsFile } from './known-hosts.ts'

describe('knownHostsFile', () => {
  let directory: string
  let cwd: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'known-hosts-test-'))
    cwd = join(directory, 'repository')
    mkdirSync(join(cwd, 'ansible'), { recursive: true })
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('holds the lines of SSH_KNOWN_HOSTS, however a form sent them', () => {
    const file = knownHostsFile({ text: 'a ssh-ed25519 A\r\nb ssh-ed25519 B', file: null }, { directory, cwd })

    assert.equal(readFileSync(file, 'utf8'), 'a ssh-ed25519 A\nb ssh-ed25519 B\n')
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('is the one of SSH_KNOWN_HOSTS_FILE, seen from the repository', () => {
    writeFileSync(join(cwd, 'keys'), '')
    assert.equal(knownHostsFile({ text: null, file: 'keys' }, { directory, cwd }), join(cwd, 'keys'))
  })

  it('is otherwise the committed one', () => {
    writeFileSync(join(cwd, 'ansible/known_hosts'), '')
    assert.equal(knownHostsFile({ text: null, file: null }, { directory, cwd }), join(cwd, 'ansible/known_hosts'))
  })

  it('is an empty one when there is none: no key is ever learned', () => {
    assert.equal(knownHostsFile({ text: null, file: null }, { directory, cwd }), '/dev/null')
    assert.equal(knownHostsFile({ text: null, file: 'nowhere' }, { directory, cwd }), '/dev/null')
  })
})
