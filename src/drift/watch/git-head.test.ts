import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readHead } from './git-head.ts'

describe('readHead', () => {
  let top: string
  before(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'git-head-')))
  })
  after(() => rmSync(top, { recursive: true }))

  const git = (directory: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], {
      cwd: directory,
      stdio: 'pipe',
    })
  function commit(directory: string) {
    git(directory, 'commit', '--allow-empty', '-qm', 'x')
  }

  function stepBack(directory: string) {
    git(directory, 'checkout', '-q', '--detach', 'HEAD~1')
  }

  it('is another after each commit and each checkout, also below the root, in a worktree, and with packed branches', () => {
    const main = join(top, 'main')
    mkdirSync(join(main, 'below'), { recursive: true })
    git(main, 'init', '-q')
    commit(main)
    git(main, 'worktree', 'add', '-q', '--detach', join(top, 'tree'))
    git(join(top, 'tree'), 'checkout', '-q', '-b', 'other')
    const seen = new Map<string, Set<string | null>>()
    const places = [main, join(main, 'below'), join(top, 'tree')]
    const note = () => {
      for (const place of places) seen.set(place, (seen.get(place) ?? new Set()).add(readHead(place)))
    }
    note()
    for (const step of [
      () => [main, join(top, 'tree')].forEach(commit),
      () => git(main, 'pack-refs', '--all'),
      () => [main, join(top, 'tree')].forEach(commit),
      () => [main, join(top, 'tree')].forEach(stepBack),
    ]) {
      step()
      note()
    }
    for (const [place, heads] of seen) {
      assert.ok(!heads.has(null), place)
      assert.equal(heads.size, 5, place)
    }
  })

  it('is the same as long as nothing is done, and null where there is no Git', () => {
    const main = join(top, 'same')
    mkdirSync(main)
    git(main, 'init', '-q')
    commit(main)
    assert.equal(readHead(main), readHead(main))
    assert.equal(readHead('/proc'), null)
  })
})
