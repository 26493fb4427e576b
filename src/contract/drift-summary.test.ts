import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { driftSummaryOf } from './drift-summary.ts'

const changed = (name: string, sha256 = 'a'.repeat(64)) => ({ name, change: 'modified' as const, actual: { sha256 } })

describe('what a row says of its drift', () => {
  it('is nothing where there is none', () => {
    assert.deepEqual(driftSummaryOf([], 0), { drift_id: null, drifted_files: null, modified_by: null })
  })

  it('names the first files, and how many more there are', () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => changed(name))
    assert.equal(driftSummaryOf(files.slice(0, 2), 2).drifted_files, 'a, b')
    assert.equal(driftSummaryOf(files, 4).drifted_files, 'a, b, c and 1 more')
    assert.equal(driftSummaryOf(files.slice(0, 3), 6_000).drifted_files, 'a, b, c and 5997 more')
    const cut = [changed('a')]
    assert.equal(driftSummaryOf(cut, 5_001).drifted_files, 'a and 5000 more')
    assert.equal(driftSummaryOf(cut, 6_001).drifted_files, 'a and 6000 more')
    assert.equal(driftSummaryOf([changed('x'.repeat(4_096))], 1).drifted_files?.length, 81)
  })

  it('names once who changed the files, as far as the reports say', () => {
    const by = (...names: string[]) =>
      driftSummaryOf(
        names.map((modified_by, n) => ({ name: String(n), modified_by })),
        5,
      )
    assert.equal(by('eve', 'bob', 'eve').modified_by, 'bob, eve')
    assert.equal(by('a', 'b', 'c', 'd', 'e').modified_by, 'a, b, c and 2 more')
    assert.equal(by('eve\nbob').modified_by, 'eve\\x0abob')
    assert.equal(driftSummaryOf([changed('a')], 1).modified_by, null)
  })

  it('escapes what turns text around or breaks lines in a name', () => {
    const names = ['ok\u202egnp.exe', 'a\u2028b', 'a\u2029b', 'größe \u{e0041}']
    assert.deepEqual(
      names.map((name) => driftSummaryOf([{ name }], 1).drifted_files),
      ['ok\\xe2\\x80\\xaegnp.exe', 'a\\xe2\\x80\\xa8b', 'a\\xe2\\x80\\xa9b', 'größe \\xf3\\xa0\\x81\\x81'],
    )
  })

  it('has one id for the same change, in whatever order, by whomever and whenever', () => {
    const one = driftSummaryOf([changed('a'), changed('b')], 2).drift_id
    const other = driftSummaryOf([{ ...changed('b'), modified_by: 'eve' }, changed('a')], 2).drift_id
    assert.equal(one, other)
  })

  it('has another id for another change of the same file', () => {
    const ids = [
      [changed('a')],
      [changed('a', 'b'.repeat(64))],
      [{ name: 'a', change: 'missing' as const }],
      [{ name: 'a' }],
      [changed('a'), changed('b')],
      [{ ...changed('a'), path: '/etc/a' }],
      [{ ...changed('a'), path: '/srv/a' }],
      [{ ...changed('a'), name_base64: 'YQ==' }],
      [{ ...changed('a'), diff: '-no\n+yes\n' }],
      [{ ...changed('a'), diff: '-yes\n+no\n' }],
    ].map((files) => driftSummaryOf(files, files.length).drift_id)
    assert.equal(new Set(ids).size, ids.length)
  })

  it('has one id for the same difference of files that were compared under other names', () => {
    const [one, other, reversed] = [
      '--- before: /etc/a\n+++ after: /tmp/ansible-1/a\n@@ -1 +1 @@\n-no\n+yes\n',
      '--- before: /etc/a\n+++ after: /tmp/ansible-2/a\n@@ -1 +1 @@\n-no\n+yes\n',
      '--- before: /etc/a\n+++ after: /tmp/ansible-1/a\n@@ -1 +1 @@\n-yes\n+no\n',
    ].map((diff) => driftSummaryOf([{ name: 'a', diff }], 1).drift_id)
    assert.equal(one, other)
    assert.notEqual(one, reversed)
  })

  it('has another id when a list was cut of more files', () => {
    const files = [changed('a')]
    const ids = [1, 5_001, 900_000].map((count) => driftSummaryOf(files, count).drift_id)
    assert.equal(new Set(ids).size, 3)
  })
})
