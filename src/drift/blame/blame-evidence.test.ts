import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parseBlameEvidence } from './blame-evidence.ts'

const PATHS = ['L2V0Yy9h', 'L2V0Yy9i']

const ANSWER = {
  format: 1,
  clock: { realtime: '1795348800000000000', boottime: '1000', boot_id: 'a' },
  uid: 0,
  connection: { from: '10.0.0.5', port: 4000 },
  users: { 0: 'root', 1001: 'alice' },
  files: [
    {
      path: PATHS[0],
      kind: 'there',
      uid: 0,
      mtime: '1795348800500000000',
      ctime: '1795348800500000000',
      inode: '18446744073709551615',
      links: 1,
      regular: true,
      directory_mtime: '1795348800000000000',
    },
    { path: PATHS[1], kind: 'missing' },
  ],
  sources: [{ name: 'journal', state: 'read', since: 1795348000.5 }],
  sessions: [{ user: 'alice', line: 'pts/0', host: '', pid: 9, from: 1795348000, to: null }],
  entries: [
    {
      kind: 'sudo',
      user: 'alice',
      as: 'root',
      program: 'vi',
      paths: [1],
      at: 1795348700.1,
      slack: 0,
      pid: 30,
      trusted: true,
    },
    { kind: 'closed', service: 'sudo', user: 'root', at: 1795348701, slack: 1, pid: null, trusted: false },
  ],
  packages: [
    {
      tool: 'dpkg',
      from: 1795348700,
      to: 1795348701,
      slack: 1,
      names: ['a'],
      paths: [0],
      user: null,
      program: 'apt-get',
    },
  ],
  audit: {
    events: [
      { at: 1795348700, file: 0, act: 'write', inode: '7', auid: 4294967295, session: 3, program: 'sh', key: null },
    ],
    since: 1795340000,
    unbroken: true,
    lost: 0,
    rules: [{ path: '/etc', perm: 'wa', key: 'gitops', plain: true }],
    logins: [{ at: 1795348600, pid: 50, auid: 0, session: 3 }],
  },
}

describe('parseBlameEvidence', () => {
  it('reads what the collector says, with times in seconds and nobody for no login', () => {
    const evidence = parseBlameEvidence(JSON.stringify(ANSWER), PATHS)

    assert.deepEqual(evidence?.files, [
      {
        kind: 'there',
        uid: 0,
        mtime: 1795348800.5,
        ctime: 1795348800.5,
        inode: '18446744073709551615',
        links: 1,
        directoryMtime: 1795348800,
      },
      { kind: 'missing', directoryMtime: null },
    ])
    assert.deepEqual(evidence.users.get(1001), 'alice')
    assert.equal(evidence.audit.events[0]?.auid, null)
    assert.deepEqual([evidence.entries.length, evidence.logins.length, evidence.packageRuns.length], [2, 1, 1])
  })

  it('refuses an answer that ends too early, and one about other paths', () => {
    const text = JSON.stringify(ANSWER)
    for (let length = 0; length < text.length; length += 7) {
      assert.equal(parseBlameEvidence(text.slice(0, length), PATHS), null)
    }
    assert.equal(parseBlameEvidence(text, [...PATHS].reverse()), null)
    assert.equal(parseBlameEvidence(text, PATHS.slice(1)), null)
  })

  it('refuses one with any one value replaced by something else', () => {
    const places = placesIn(ANSWER).filter((place) => !UNREAD.includes(place.join('.')))
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.constantFrom([], {}, true, -1, 0.5, 1e99, 'x\u0000'.repeat(9_000)),
        (place, other) => {
          const changed = structuredClone(ANSWER)
          if (replace(changed, place, other))
            assert.equal(parseBlameEvidence(JSON.stringify(changed), PATHS), null, place.join('.'))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

// For people who look at an answer; the judge has no use for them.
const UNREAD = ['files.0.regular', 'sessions.0.pid', 'audit.since']
// Where half a second is as good as any other time.
const TIMES = ['at', 'from', 'to', 'since', 'slack']

function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return at.length > 0 ? [[...at]] : []
  return Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]))
}

/** False when the other value is as right as the one that is there. */
function replace(root: object, place: readonly string[], other: unknown): boolean {
  let holder = root as Record<string, unknown>
  for (const key of place.slice(0, -1)) holder = holder[key] as Record<string, unknown>
  const key = place.at(-1) ?? ''
  if (typeof holder[key] === typeof other && typeof other === 'boolean') return false
  if (TIMES.includes(key) && other === 0.5) return false
  holder[key] = other
  return true
}
