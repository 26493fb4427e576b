import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { limitTo } from './limit-to.ts'

describe('limitTo', () => {
  it('names the hosts, and nothing that would be a pattern', () => {
    assert.equal(limitTo(['web1', 'db-2.example.org', '_x'], '/nonexistent'), 'web1,db-2.example.org,_x')
    for (const name of ['all:!web', '~web.*', 'web*', 'web[1:3]', '@hosts', '::1', 'a,b', '-x', 'a b'])
      assert.equal(limitTo(['web1', name], '/nonexistent'), null, name)
  })

  it('writes them to a file when one argument cannot hold them', () => {
    const directory = mkdtempSync(join(tmpdir(), 'limit-to-test-'))
    try {
      const hosts = Array.from({ length: 20_000 }, (_, index) => `web${index}`)
      const limit = limitTo(hosts, directory) ?? ''
      assert.equal(limit[0], '@')
      assert.deepEqual(readFileSync(limit.slice(1), 'utf8').trimEnd().split('\n'), hosts)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
