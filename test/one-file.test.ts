import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeRepository } from './reporter/check-run.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

describe('the reporter as one file', () => {
  let directory: string
  let program: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-one-file-'))
    program = join(directory, 'gitops-status.mjs')
    execFileSync(process.execPath, ['scripts/build.ts', program], { cwd: ROOT })
  })
  after(() => rmSync(directory, { recursive: true }))

  it('sets up a repository far away from this one', () => {
    using own = makeRepository({ 'site.yml': '- hosts: all\n', 'hosts.ini': 'web-1\n', 'gitops-status.mjs': '' })
    copyFileSync(program, join(own.directory, 'gitops-status.mjs'))

    const args = [
      'gitops-status.mjs',
      'init',
      '--ci',
      'gitea',
      '--branch',
      'main',
      '--server-url',
      'http://127.0.0.1:9',
    ]
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: own.directory, env: {}, encoding: 'utf8' })

    assert.deepEqual([status, stderr], [0, ''])
    const read = (path: string) => readFileSync(join(own.directory, path), 'utf8')
    assert.equal(read('update-gitops-status.sh'), readFileSync(join(ROOT, 'update-gitops-status.sh'), 'utf8'))
    // What is sent to servers is in no file beside it.
    const text = read('gitops-status.mjs')
    for (const part of ['agent', 'blame']) assert.match(text, new RegExp(`"agent/gitops_status_${part}\\.py": ?"`))
    assert.match(read('.gitea/workflows/gitops.yml'), /ansible-playbook -i hosts\.ini site\.yml/)
  })
})
