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

function laidOut(group: Group, open: readonly string[] = []) {
  return linesOf(rows, group, open).map((line) => {
    if (line.kind === 'target') return line.row.server
    if (line.kind === 'repo') return `# ${line.title} · ${line.about}`
    return `${line.isOpen ? '▾' : '▸'} ${line.id}: ${line.members.map(({ server }) => server)}`
  })
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

  it('by drift are one card for each difference, whatever its targets show now, what most of them share first', () => {
    assert.deepEqual(laidOut('drift'), [
      '▸ id of rsyslog.conf: same-1,same-2,silent-drift',
      '▸ id of passwd: alone',
      '▸ UNKNOWN: silent',
      '▸ SYNCED: fine',
    ])
  })

  it('by drift have the targets of a card below it when it is open', () => {
    const open = ['id of rsyslog.conf', 'UNKNOWN', 'of none']
    assert.deepEqual(laidOut('drift', open), [
      '▾ id of rsyslog.conf: same-1,same-2,silent-drift',
      'same-1',
      'same-2',
      'silent-drift',
      '▸ id of passwd: alone',
      '▾ UNKNOWN: silent',
      'silent',
      '▸ SYNCED: fine',
    ])
  })

  for (const group of ['none', 'repo', 'drift'] as const) {
    it(`have a key of their own, grouped by ${group}`, () => {
      const keys = linesOf(rows, group, ['UNKNOWN', 'SYNCED']).map(({ key }) => key)
      assert.equal(new Set(keys).size, keys.length)
    })
  }

  it('are none when there are no rows', () => {
    assert.deepEqual(linesOf([], 'drift'), [])
  })
})
