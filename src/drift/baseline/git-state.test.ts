import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { runCommand } from '../run-command.ts'
import { readGitState } from './git-state.ts'

describe('readGitState', () => {
  let directory: string
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'git-state-test-')))
    write('site.yml', '- hosts: all\n')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: directory, env })
  const commit = () => {
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'x')
  }
  const read = (where = directory) =>
    readGitState({
      directory: where,
      except: join(directory, 'state'),
      run: (file, args) => runCommand({ file, args, cwd: where, env, timeoutMs: 10_000 }),
    })

  it('has a commit, and nothing that is not committed', async () => {
    commit()
    const { commit: head, root, changes, isClean } = await read()
    assert.equal(head, git('rev-parse', 'HEAD').toString().trim())
    assert.equal(root, directory)
    assert.equal(isClean, true)
    assert.equal((await read()).changes, changes)
  })

  const CHANGES: Record<string, () => void> = {
    'a changed file': () => write('site.yml', 'x'),
    'the same file, changed otherwise': () => write('site.yml', 'y'),
    'a new file': () => write('new.yml', 'x'),
    'a removed file': () => rmSync(join(directory, 'site.yml')),
    'a file that can be run': () => execFileSync('chmod', ['+x', join(directory, 'site.yml')]),
    'a link': () => symlinkSync('/a', join(directory, 'link')),
    'the link to elsewhere': () => symlinkSync('/b', join(directory, 'link')),
    'a repository in the repository': () => {
      mkdirSync(join(directory, 'roles'))
      execFileSync('git', ['init', '-q', join(directory, 'roles')], { env })
      write('roles/main.yml', 'x')
    },
  }
  it('tells everything that is not committed apart, with git and without', async () => {
    for (const withGit of [true, false]) {
      const seen = new Map<string | null, string>()
      for (const [what, change] of Object.entries({ nothing: () => {}, ...CHANGES })) {
        rmSync(directory, { recursive: true })
        mkdirSync(directory)
        write('site.yml', '- hosts: all\n')
        if (withGit) commit()
        change()
        const { changes, isClean } = await read()
        assert.equal(seen.get(changes), undefined, what)
        assert.equal(isClean, withGit && what === 'nothing')
        seen.set(changes, what)
      }
    }
  })

  it('passes over what Git ignores, and over our own directory', async () => {
    write('.gitignore', '*.log\n')
    commit()
    const { changes } = await read()
    write('x.log', 'x')
    mkdirSync(join(directory, 'state'))
    write('state/key', 'x')
    write('.gitignore', '*.log\n')
    git('add', '.gitignore')
    const now = await read()
    assert.equal(now.isClean, true)
    assert.equal(now.changes, changes)
  })

  it('sees the whole repository from a directory in it', async () => {
    mkdirSync(join(directory, 'ansible'))
    write('ansible/hosts', 'web1\n')
    commit()
    const { changes } = await read(join(directory, 'ansible'))
    write('site.yml', 'x')
    const now = await read(join(directory, 'ansible'))
    assert.equal(now.root, directory)
    assert.notEqual(now.changes, changes)
  })

  it('gives up where there is too much to compare', async () => {
    write('large', '')
    truncateSync(join(directory, 'large'), 300 * 1024 * 1024)
    assert.equal((await read()).changes, null)
  })
})
