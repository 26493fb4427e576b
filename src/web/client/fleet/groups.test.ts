import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDriftedRow, aRow } from '../../../../test/web/a-row.ts'
import { linesOf } from './groups.ts'
import type { Group } from './wish.ts'

const rows = [
  aDriftedRow('alone', 'passwd'),
  aDriftedRow('same-1'),
  aDriftedRow('same-2'),
  aRow({ server: 'silent', sync_status: 'UNKNOWN', freshness: 'STALE', reason: 'stale' }),
  aRow({ ...aDriftedRow('silent-drift'), sync_status: 'UNKNOWN', freshness: 'STALE', reason: 'stale' }),
  aRow({ repo: 'web', server: 'fine' }),
]

function laidOut(group: Group) {
  return linesOf(rows, group).map((line) =>
    line.kind === 'target' ? line.row.server : `# ${line.title} · ${line.about}`,
  )
}

describe('the lines of the list', () => {
  it('are the rows, as they come, without groups', () => {
    assert.deepEqual(
      laidOut('none'),
      rows.map(({ server }) => server),
    )
  })

  it('by repository say how many of each status there are', () => {
    assert.deepEqual(laidOut('repo'), [
      '# rsyslog · 3 out of sync, 2 unknown',
      'alone',
      'same-1',
      'same-2',
      'silent',
      'silent-drift',
      '# web · 1 synced',
      'fine',
    ])
  })

  it('by drift begin with the change that most targets share', () => {
    const lines = laidOut('drift')
    assert.deepEqual(lines.slice(0, 5), [
      '# The same change on 2 targets · 1 file: rsyslog.conf',
      'same-1',
      'same-2',
      '# 1 file: passwd · 1 target',
      'alone',
    ])
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('#')),
      ['same-1', 'same-2', 'alone', 'silent', 'silent-drift', 'fine'],
    )
  })

  for (const group of ['none', 'repo', 'drift'] as const) {
    it(`have a key of their own, grouped by ${group}`, () => {
      const keys = linesOf(rows, group).map(({ key }) => key)
      assert.equal(new Set(keys).size, keys.length)
    })
  }

  it('are none when there are no rows', () => {
    assert.deepEqual(linesOf([], 'drift'), [])
  })
})
