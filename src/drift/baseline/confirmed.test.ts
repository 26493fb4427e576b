import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aCertified, KEY } from '../../../test/drift/certified-builder.ts'
import { aFile, aSnapshot, base64, entries, LOOK_AT, wholeFile } from '../../../test/drift/snapshot-builder.ts'
import { aDrift, aVerdict } from '../../../test/reporter/evidence-builder.ts'
import type { HostSnapshot } from '../snapshot/host-snapshot.ts'
import { compare } from './compare.ts'
import { confirmedBy, isAllWatched } from './confirmed.ts'

const PATH = '/etc/app.conf'
const seen = (text: string, more = {}) => aSnapshot({ [PATH]: aFile({ text, ...more }) }, { seconds: 1 })

function confirmed(before: HostSnapshot | null, after: HostSnapshot, status: 'OUT_OF_SYNC' | 'SYNCED' = 'OUT_OF_SYNC') {
  const access = { why: 'x' }
  const verdict = aVerdict({
    status,
    drift: status === 'SYNCED' ? [] : [aDrift({ path: PATH })],
    // The checksum that Ansible gives of a file that differs is that of what it would write.
    seen: { named: [wholeFile(PATH, 'v=1\n')], listed: [], looked_for: [], access },
  })
  return confirmedBy(verdict, { before, after, key: KEY })
}

describe('confirmedBy', () => {
  it('knows how a host stood while it had drifted', () => {
    const found = confirmed(seen('v=2\n'), seen('v=2\n'))
    assert.ok(found)
    assert.equal(compare(found, seen('v=2\n'), KEY).kind, 'equal')
    for (const other of [seen('v=1\n'), seen('v=3\n'), seen('v=2\n', { mode: '0600' })])
      assert.equal(compare(found, other, KEY).kind, 'different')
  })

  it('knows nothing where somebody was at work meanwhile, or nobody looked before', () => {
    assert.equal(confirmed(seen('v=3\n'), seen('v=2\n')), null)
    assert.equal(confirmed(seen('v=2\n'), seen('v=2\n', { ctime: LOOK_AT })), null)
    assert.equal(confirmed(null, seen('v=2\n')), null)
  })

  it('is about drift alone', () => {
    assert.equal(confirmed(seen('v=1\n'), seen('v=1\n'), 'SYNCED'), null)
  })
})

describe('isAllWatched', () => {
  const snapshot = aSnapshot({ [PATH]: aFile() }, { listings: { '/etc/app.d': entries('a') } })
  const certified = aCertified({ snapshot })

  it('is so for what is watched, and for what lies in a directory that is', () => {
    assert.ok(isAllWatched([aDrift({ path: PATH }), aDrift({ path: '/etc/app.d/extra' })], certified))
    assert.ok(certified.listings.has(base64('/etc/app.d')))
  })

  it('is not for what has no path, and for any other path', () => {
    assert.ok(!isAllWatched([aDrift({ path: PATH }), { ...aDrift(), path_base64: null }], certified))
    assert.ok(!isAllWatched([aDrift({ path: '/etc/app.dir' })], certified))
  })
})
