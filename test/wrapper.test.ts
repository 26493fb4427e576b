import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missingTools } from '../scripts/install-tools.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FIRST_STEP = '==> Running drift-check playbook...\nStep 1/4: Running drift-check playbook...\n'

describe('update-gitops-status.sh', () => {
  let directory: string
  /** A PATH with sh and what the script itself calls, and no Node. */
  let path: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-wrapper-'))
    path = join(directory, 'bin')
    mkdirSync(path)
    for (const name of ['sh', 'dirname', 'readlink']) {
      symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(path, name))
    }
    copyFileSync(join(ROOT, 'update-gitops-status.sh'), join(directory, 'update-gitops-status.sh'))
  })
  after(() => rmSync(directory, { recursive: true }))

  const run = (script: string, ...args: string[]) =>
    spawnSync(script, args, { env: { PATH: path }, cwd: '/', encoding: 'utf8' })

  it('says its first step before it looks for anything', () => {
    const { stdout, stderr, status } = run(join(directory, 'update-gitops-status.sh'))

    assert.equal(stdout, FIRST_STEP)
    assert.equal(stderr, '✗ gitops-status was not found: neither beside this script nor on the PATH\n')
    assert.equal(status, 64)
  })

  it('leaves standard output to the data when there are arguments, and is silent when asked to be', () => {
    const dryRun = run(join(directory, 'update-gitops-status.sh'), '--dry-run')
    assert.equal(dryRun.stdout, '')
    assert.ok(dryRun.stderr.startsWith(FIRST_STEP))

    assert.doesNotMatch(run(join(directory, 'update-gitops-status.sh'), '--quiet').stderr, /Step/)
  })

  it('runs from anywhere, with the Node that npm brought', () => {
    const { stdout, stderr, status } = run(join(ROOT, 'update-gitops-status.sh'))

    assert.equal(stdout, FIRST_STEP)
    assert.match(stderr, /^✗ REPO_NAME is not set/)
    assert.equal(status, 64)
  })
})

it('shellcheck has nothing to say about any script', (t) => {
  if (missingTools('test').some(({ command }) => command === 'shellcheck')) return t.skip('shellcheck is missing')
  const scripts = [
    'update-gitops-status.sh',
    'bin/gitops-status',
    'bin/gitops-status-server',
    '.ci/run',
    'test/lab/boot.sh',
  ]
  const { stdout, status } = spawnSync('shellcheck', scripts, { cwd: ROOT, encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
