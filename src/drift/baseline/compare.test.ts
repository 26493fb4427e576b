import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDirectory, aFile, aLink, aSnapshot, base64, entries } from '../../../test/drift/snapshot-builder.ts'
import type { HostSnapshot, Listing, PathFacts } from '../snapshot/host-snapshot.ts'
import { type Declared, knownOf } from './baseline.ts'
import { compare, type Difference } from './compare.ts'

const KEY = Buffer.alloc(32, 1)
const PATH = '/etc/app.conf'
const ALL: Declared = ['content', 'mode', 'owner', 'group']
const UNREADABLE = { kind: 'unreadable', reason: 'Permission denied' } as const

function certified(then: HostSnapshot, declared: Declared = ALL) {
  const watched = {
    paths: [...then.paths.keys()],
    listings: [...then.listings.keys()].map((path) => ({ path, recurse: false })),
  }
  return knownOf(then, { watched, declared: new Map(watched.paths.map((path) => [path, declared])), key: KEY })
}

function differences(then: PathFacts, now: PathFacts, declared?: Declared): string {
  const comparison = compare(certified(aSnapshot({ [PATH]: then }), declared), aSnapshot({ [PATH]: now }), KEY)
  return comparison.kind === 'different' ? comparison.differences.map(nameOf).join() : comparison.kind
}

function nameOf({ path, attribute }: Difference): string {
  assert.equal(path, base64(PATH))
  return attribute
}

describe('compare: a certified baseline against a look', () => {
  const file = aFile()

  it('is equal when times and inodes are others', () => {
    assert.equal(differences(file, aFile({ mtime: 1n, ctime: 2n, inode: 3n, device: 4n, links: 2 })), 'equal')
  })

  const CHANGES: readonly (readonly [name: string, facts: PathFacts, attributes: string])[] = [
    ['content', aFile({ text: 'v=2\n' }), 'content'],
    ['mode', aFile({ mode: '0600' }), 'mode'],
    ['owner', aFile({ owner: 'app', uid: 1001 }), 'owner'],
    ['the number of the owner alone', aFile({ uid: 1001 }), 'owner'],
    ['the name of the owner alone', aFile({ owner: 'toor' }), 'owner'],
    ['group', aFile({ group: 'app', gid: 1001 }), 'group'],
    ['the number of the group alone', aFile({ gid: 1001 }), 'group'],
    ['a directory in its place', aDirectory(), 'type'],
    ['a link in its place', aLink('/etc/app.conf.real'), 'type'],
    ['that it is gone', { kind: 'missing' }, 'type'],
    ['several at once', aFile({ text: '', mode: '0600' }), 'content,mode'],
  ]
  for (const [name, facts, attributes] of CHANGES) {
    it(`sees ${name}`, () => assert.equal(differences(file, facts), attributes))
  }

  it('sees that something came up where nothing was, and where a link leads', () => {
    assert.equal(differences({ kind: 'missing' }, file), 'type')
    assert.equal(differences(aLink('/a'), aLink('/b')), 'content')
  })

  it('passes over what the full check did not hold against Git', () => {
    const other = aFile({ text: 'v=2\n', mode: '0600', owner: 'app', uid: 1, group: 'app', gid: 1 })
    assert.equal(differences(file, other, []), 'equal')
    assert.equal(differences(file, other, ['mode']), 'mode')
    assert.equal(differences(file, other, ['part_of_content']), 'content')
    assert.equal(differences(file, aDirectory(), []), 'type')
  })

  it('does not know what can no longer be read: that is not missing, and not equal', () => {
    assert.equal(differences(file, UNREADABLE), 'not_known')
    assert.deepEqual(compare(certified(aSnapshot({ [PATH]: file })), aSnapshot({}), KEY), {
      kind: 'not_known',
      paths: [base64(PATH)],
    })
  })

  it('has a difference confirmed even where something else cannot be read', () => {
    const then = certified(aSnapshot({ [PATH]: file, '/etc/other': file }))
    const now = aSnapshot({ [PATH]: aFile({ mode: '0600' }), '/etc/other': UNREADABLE })
    assert.equal(compare(then, now, KEY).kind, 'different')
  })

  it('knows a content by the key only', () => {
    const then = certified(aSnapshot({ [PATH]: file }))
    assert.equal(compare(then, aSnapshot({ [PATH]: file }), Buffer.alloc(32, 2)).kind, 'different')
    assert.doesNotMatch(JSON.stringify([...then.paths]), new RegExp(file.sha256))
  })

  const listed = (then: Listing, now: Listing | null) => {
    const look = (listing: Listing) => aSnapshot({}, { listings: { [PATH]: listing } })
    return compare(certified(look(then)), now === null ? aSnapshot({}) : look(now), KEY)
  }

  it('sees what came into a directory, and what went', () => {
    assert.equal(listed(entries('a', 'b'), entries('a', 'b')).kind, 'equal')
    const difference = { kind: 'different', differences: [{ path: base64(PATH), attribute: 'entries' }] }
    assert.deepEqual(listed(entries('a'), entries('a', 'b')), difference)
    assert.deepEqual(listed(entries('a', 'b'), entries('a')), difference)
    assert.deepEqual(listed(entries('a'), entries('b')), difference)
  })

  it('sees that a directory has gone, and does not know what it cannot list', () => {
    assert.deepEqual(listed(entries('a'), { kind: 'missing' }), {
      kind: 'different',
      differences: [{ path: base64(PATH), attribute: 'type' }],
    })
    assert.equal(listed(entries('a'), UNREADABLE).kind, 'not_known')
    assert.equal(listed(entries('a'), null).kind, 'not_known')
  })
})
