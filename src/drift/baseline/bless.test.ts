import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aDirectory,
  aFile,
  aLink,
  aSnapshot,
  base64,
  entries,
  LOOK_AT,
  someLines,
  wholeFile,
} from '../../../test/drift/snapshot-builder.ts'
import type { Named } from '../evidence.ts'
import type { HostSnapshot, PathFacts } from '../snapshot/host-snapshot.ts'
import { type Blessing, bless, type Seen, toLookAtAfter, watchedOf } from './bless.ts'

const PATH = '/etc/app.conf'
const DURING = LOOK_AT + 2_000_000_000n
const ON_THE_WAY = { '/etc': aDirectory(), '/': aDirectory() }

const seenOf = (...named: Named[]): Seen => ({ named, listed: [], looked_for: [] })

function blessed(before: HostSnapshot | null, after: HostSnapshot, seen: Seen = seenOf(wholeFile(PATH))): string {
  const blessing = bless({ before, after, seen })
  return blessing.kind === 'not_yet' ? `not_yet: ${blessing.why}` : blessing.kind
}

describe('bless: a look, a full check that found nothing, a look', () => {
  const before = aSnapshot({ [PATH]: aFile() })
  const after = (facts: PathFacts) => aSnapshot({ [PATH]: facts }, { seconds: 5 })

  it('certifies what is the same and untouched', () => {
    assert.deepEqual(bless({ before, after: after(aFile()), seen: seenOf(wholeFile(PATH)) }), {
      kind: 'blessed',
      watched: { paths: [base64(PATH)], listings: [] },
      declared: new Map([[base64(PATH), ['content', 'mode', 'owner', 'group']]]),
      watchedCount: 1,
      unwatched: [],
    } satisfies Blessing)
  })

  it('certifies nothing without a look before the check', () => {
    assert.equal(blessed(null, after(aFile())), 'not_yet: there was no look before the check')
  })

  const EDITS: Record<string, PathFacts> = {
    content: aFile({ text: 'v=2\n' }),
    mode: aFile({ mode: '0600' }),
    owner: aFile({ owner: 'app', uid: 1001 }),
    'the number of the owner': aFile({ uid: 1001 }),
    group: aFile({ group: 'app', gid: 1001 }),
    'the number of the group': aFile({ gid: 1001 }),
    type: aLink('/etc/other.conf'),
    existence: { kind: 'missing' },
    'whether it can be read': { kind: 'unreadable', reason: 'Permission denied' },
  }
  for (const [what, facts] of Object.entries(EDITS)) {
    it(`takes a change of ${what} for an edit during the check`, () => {
      assert.equal(blessed(before, after(facts)), 'edited')
    })
  }

  const TOUCHES: Record<string, PathFacts> = {
    ctime: aFile({ ctime: DURING }),
    'ctime and mtime': aFile({ ctime: DURING, mtime: DURING }),
    inode: aFile({ inode: 12n }),
    device: aFile({ device: 2n }),
  }
  for (const [what, facts] of Object.entries(TOUCHES)) {
    it(`takes another ${what} alone for a touch: it may have been edited and put back`, () => {
      assert.equal(blessed(before, after(facts)), 'touched')
    })
  }

  it('lets a directory and a log be written to, of which only the mode is declared', () => {
    for (const facts of [aDirectory(), aFile()]) {
      const modeOnly: Named = { ...someLines(PATH), compares: ['mode'] }
      const used = { ...facts, mtime: DURING, ctime: DURING, ...(facts.kind === 'file' && { sha256: 'f'.repeat(64) }) }
      const chmodAndBack = { ...facts, ctime: DURING }

      assert.equal(blessed(aSnapshot({ [PATH]: facts }), after(used), seenOf(modeOnly)), 'blessed')
      assert.equal(blessed(aSnapshot({ [PATH]: facts }), after(chmodAndBack), seenOf(modeOnly)), 'touched')
    }
  })

  it('takes other lines of a file for an edit, though Ansible gave no checksum of it', () => {
    assert.equal(blessed(before, after(aFile({ text: 'v=1\nx\n' })), seenOf(someLines(PATH))), 'edited')
  })

  it('takes only what the check held against Git for an edit', () => {
    const contentOnly: Named = { ...wholeFile(PATH), compares: ['content'] }
    assert.equal(blessed(before, after(aFile({ mode: '0600' })), seenOf(contentOnly)), 'blessed')
  })

  it("takes a checksum of Ansible's that is another for an edit, also of a file that seems untouched", () => {
    assert.equal(blessed(before, after(aFile()), seenOf(wholeFile(PATH, 'v=2\n'))), 'edited')
  })

  const CLOCKS = {
    'the host was restarted meanwhile': { bootId: 'boot-2' },
    "the host's clock was set meanwhile": { realtime: LOOK_AT + 7_000_000_001n },
  }
  for (const [why, clock] of Object.entries(CLOCKS)) {
    it(`certifies nothing when ${why}`, () => {
      const later = aSnapshot({ [PATH]: aFile() }, { seconds: 5, clock })
      assert.equal(blessed(before, later), `not_yet: ${why}`)
    })
  }

  it('certifies nothing when the time since the start of the host went back', () => {
    const later = aSnapshot({ [PATH]: aFile() }, { clock: { boottime: 1n, realtime: LOOK_AT - 4_999_999_999_999n } })
    assert.equal(blessed(before, later), "not_yet: the host's clock was set meanwhile")
  })

  it('certifies with a clock that is wrong by a year, but runs', () => {
    const year = 365n * 86_400_000_000_000n
    const wrong = (snapshot: HostSnapshot) => ({
      ...snapshot,
      clock: { ...snapshot.clock, realtime: snapshot.clock.realtime - year },
    })
    assert.equal(blessed(wrong(before), wrong(after(aFile()))), 'blessed')
  })
})

describe('bless: of what the look before did not ask for', () => {
  const before = aSnapshot({})
  const JUST_BEFORE = LOOK_AT - 999_999_999n
  const found = (paths: Record<string, PathFacts>) =>
    blessed(before, aSnapshot({ [PATH]: aFile(), ...ON_THE_WAY, ...paths }, { seconds: 5 }))
  const tooNew = 'not_yet: /etc/app.conf may have been changed just before the check'

  it('certifies what nobody has changed since a second before it', () => {
    assert.equal(found({}), 'blessed')
  })

  it('waits when it is newer, or something may have been moved into its place', () => {
    assert.equal(found({ [PATH]: aFile({ ctime: JUST_BEFORE }) }), tooNew)
    assert.equal(found({ '/etc': aDirectory({ ctime: JUST_BEFORE }) }), tooNew)
    assert.equal(found({ '/': aDirectory({ ctime: JUST_BEFORE }) }), tooNew)
  })

  it('waits when the directories on the way were not looked at', () => {
    assert.equal(blessed(before, aSnapshot({ [PATH]: aFile() }, { seconds: 5 })), tooNew)
  })

  it('takes a missing path for missing all the time by the age of where it would be', () => {
    const seen: Seen = { named: [wholeFile('/etc/other')], listed: [], looked_for: [base64(PATH)] }
    const missing = (facts: PathFacts) =>
      blessed(
        before,
        aSnapshot({ '/etc/other': aFile(), [PATH]: { kind: 'missing' }, ...ON_THE_WAY, '/etc': facts }, { seconds: 5 }),
        seen,
      )
    assert.equal(missing(aDirectory()), 'blessed')
    assert.match(missing(aDirectory({ ctime: JUST_BEFORE })), /^not_yet/)
  })

  it('asks for the directories on the way to it, and of the rest for nothing more', () => {
    const watched = watchedOf(seenOf(wholeFile('/etc/app/a.conf'), wholeFile('/srv/b')))
    const asked = (snapshot: HostSnapshot | null) => toLookAtAfter(watched, snapshot).paths.map(text).sort()

    assert.deepEqual(asked(null), ['/', '/etc', '/etc/app', '/etc/app/a.conf', '/srv', '/srv/b'])
    assert.deepEqual(asked(aSnapshot({ '/etc/app/a.conf': aFile() })), ['/', '/etc/app/a.conf', '/srv', '/srv/b'])
    assert.deepEqual(asked(aSnapshot({ '/etc/app/a.conf': aFile(), '/srv/b': aFile() })), ['/etc/app/a.conf', '/srv/b'])
  })
})

describe('bless: directories that a task looked through', () => {
  const seen: Seen = {
    named: [wholeFile(PATH)],
    listed: [{ path_base64: base64('/etc/app.d'), recurse: false }],
    looked_for: [],
  }
  const look = (...names: string[]) => aSnapshot({ [PATH]: aFile() }, { listings: { '/etc/app.d': entries(...names) } })

  it('certifies one with the same entries', () =>
    assert.equal(blessed(look('a', 'b'), look('a', 'b'), seen), 'blessed'))
  it('takes a new entry for an edit', () => assert.equal(blessed(look('a'), look('a', 'b'), seen), 'edited'))

  it('takes one that has gone for an edit', () => {
    const gone = aSnapshot({ [PATH]: aFile() }, { listings: { '/etc/app.d': { kind: 'missing' } } })
    assert.equal(blessed(look('a'), gone, seen), 'edited')
  })

  it('waits for a second look at a tree that was not looked at before', () => {
    const deep: Seen = { ...seen, listed: [{ path_base64: base64('/etc/app.d'), recurse: true }] }
    const first = aSnapshot({ [PATH]: aFile() })
    const after = aSnapshot(
      { [PATH]: aFile(), '/etc/app.d': aDirectory(), ...ON_THE_WAY },
      { listings: { '/etc/app.d': entries('a') } },
    )
    assert.match(blessed(first, after, deep), /^not_yet: \/etc\/app\.d/)
    assert.equal(blessed(first, after, seen), 'blessed')
  })

  it('asks for a tree once, however often it was looked through', () => {
    const twice = { ...seen, listed: [...seen.listed, { path_base64: base64('/etc/app.d'), recurse: true }] }
    assert.deepEqual(watchedOf(twice).listings, [{ path: base64('/etc/app.d'), recurse: true }])
  })
})

describe('bless: how much is watched', () => {
  it('counts and names what no look can vouch for', () => {
    const package_: Named = { task: 'Install it', path_base64: null, why: 'no_path', sha1: null, compares: [] }
    const secret: Named = { task: 'Key', path_base64: base64('/srv/key'), why: null, sha1: null, compares: ['mode'] }
    const linked = wholeFile('/etc/linked.conf')
    const paths = {
      [PATH]: aFile(),
      '/srv/key': { kind: 'unreadable', reason: 'Permission denied' },
      '/etc/linked.conf': aLink('/srv/x'),
    } as const
    const blessing = bless({
      before: aSnapshot(paths),
      after: aSnapshot(paths),
      seen: seenOf(wholeFile(PATH), package_, secret, linked),
    })

    assert.equal(blessing.kind, 'blessed')
    assert.equal(blessing.watchedCount, 1)
    assert.deepEqual(blessing.unwatched, [
      { name: 'Install it', reason: 'no_path' },
      { name: 'Key', reason: 'unreadable' },
      { name: 'Write /etc/linked.conf', reason: 'more_than_bytes' },
    ])
    assert.deepEqual(blessing.watched.paths.map(text), [PATH, '/etc/linked.conf'])
  })

  it('counts what has a path, and names the rest, each task with each reason once', () => {
    const paths = { [PATH]: aFile(), '/etc/app.d/x.conf': aFile() }
    const withoutPath = (['no_log', 'no_path', 'no_path'] as const).map(
      (why): Named => ({ task: 'Set up the user', path_base64: null, why, sha1: null, compares: [] }),
    )
    const blessing = bless({
      before: aSnapshot(paths),
      after: aSnapshot(paths),
      seen: seenOf(wholeFile(PATH), wholeFile('/etc/app.d/x.conf'), ...withoutPath),
    })

    assert.equal(blessing.kind, 'blessed')
    assert.equal(blessing.watchedCount, 2)
    assert.deepEqual(blessing.unwatched, [
      { name: 'Set up the user', reason: 'no_log' },
      { name: 'Set up the user', reason: 'no_path' },
    ])
  })
})

function text(path: string): string {
  return Buffer.from(path, 'base64').toString()
}
