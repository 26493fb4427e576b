import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { maxAnswerBytes, parseSnapshot } from './parse-snapshot.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const [A, B, C, D] = ['/etc/a', '/etc/b', '/etc/c', '/etc/d'].map(base64) as [string, string, string, string]

const WATCHED = { paths: [A, B, C, D], listings: [{ path: D, recurse: true }] }

const INODE = {
  mode: '0644',
  owner: 'root',
  group: 'adm',
  uid: 0,
  gid: 4,
  mtime: '1776766200123456789',
  ctime: '-1',
  inode: '18446744073709551615',
  device: '65024',
}
const FILE = { path: A, kind: 'file', ...INODE, size: '12', links: 1, sha256: 'ab'.repeat(32), sha1: 'cd'.repeat(20) }
const LINK = { path: B, kind: 'link', ...INODE, target: base64('a') }
const CLOCK = { realtime: '1776766200000000000', boottime: '5', boot_id: '817e661f-7084-43aa-bd32-e8ee88bf60d1' }
const ANSWER = {
  clock: CLOCK,
  paths: [
    FILE,
    LINK,
    { path: C, kind: 'missing' },
    { path: D, kind: 'unreadable', reason: 'Permission\u001b[2J denied' },
  ],
  listings: [{ path: D, kind: 'entries', entries: [`d${base64('x')}`, `f${base64('\u001b')}`] }],
}

const parse = (answer: unknown) => parseSnapshot(Buffer.from(JSON.stringify(answer)), WATCHED)
const why = (answer: unknown) => {
  const parsed = parse(answer)
  return 'why' in parsed ? parsed.why : 'understood'
}

/** The answer with something else in the place of one value. */
function withChanged(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(ANSWER)
  let at: Record<string | number, unknown> = copy as never
  for (const key of path.slice(0, -1)) at = at[key] as never
  at[path.at(-1) ?? ''] = value
  return copy
}

describe('parseSnapshot', () => {
  it('reads an answer to exactly what was asked', () => {
    const parsed = parse(ANSWER)
    assert('clock' in parsed)
    assert.deepEqual(parsed.clock, { realtime: 1776766200000000000n, boottime: 5n, bootId: CLOCK.boot_id })
    assert.deepEqual([...parsed.paths.keys()], WATCHED.paths)
    assert.deepEqual(parsed.paths.get(A), {
      kind: 'file',
      mode: '0644',
      owner: 'root',
      group: 'adm',
      uid: 0,
      gid: 4,
      mtime: 1776766200123456789n,
      ctime: -1n,
      inode: 18446744073709551615n,
      device: 65024n,
      size: 12n,
      links: 1,
      sha256: 'ab'.repeat(32),
      sha1: 'cd'.repeat(20),
    })
    assert.equal(parsed.paths.get(C)?.kind, 'missing')
    assert.deepEqual([...parsed.listings.values()], [{ kind: 'entries', entries: ANSWER.listings[0]?.entries }])
  })

  it('lets no escape code of a reason reach a terminal', () => {
    const parsed = parse(ANSWER)
    assert('paths' in parsed)
    assert.deepEqual(parsed.paths.get(D), { kind: 'unreadable', reason: 'Permission denied' })
  })

  it('refuses garbage', () => {
    for (const text of ['', 'null', '[]', '{}', 'Last login: today', '{"clock":', '\u0000']) {
      assert('why' in parseSnapshot(Buffer.from(text), WATCHED), text)
    }
  })

  it('refuses an answer that leaves out a path, has one more, or has them in another order', () => {
    const { paths } = ANSWER
    const extra = { path: base64('/etc/e'), kind: 'missing' }
    assert.equal(why({ ...ANSWER, paths: paths.slice(1) }), 'paths: 3 answers to 4 questions')
    assert.equal(why({ ...ANSWER, paths: [...paths, extra] }), 'paths: 5 answers to 4 questions')
    assert.equal(why({ ...ANSWER, paths: [...paths.slice(0, 3), extra] }), 'paths: number 4 is about something else')
    assert.equal(why({ ...ANSWER, paths: paths.toReversed() }), 'paths: number 1 is about something else')
    assert.equal(why({ ...ANSWER, listings: [] }), 'listings: 0 answers to 1 questions')
  })

  for (const [what, path, value] of [
    ['a kind that there is not', ['paths', 0, 'kind'], 'door'],
    ['a hash that is too short', ['paths', 0, 'sha256'], 'ab'.repeat(20)],
    ['a hash that is none', ['paths', 0, 'sha1'], 'CD'.repeat(20)],
    ['a size below nothing', ['paths', 0, 'size'], '-1'],
    ['a mode with letters', ['paths', 0, 'mode'], 'rw-r'],
    ['an owner with an escape code', ['paths', 0, 'owner'], 'ro\u001b[2Jot'],
    ['an owner without a name', ['paths', 0, 'owner'], ''],
    ['a group that turns text round', ['paths', 0, 'group'], 'ro\u202eot'],
    ['a number for a user that is none', ['paths', 0, 'uid'], 0.5],
    ['a time as a number, which would lose its end', ['paths', 0, 'ctime'], 1776766200],
    ['a link that leads nowhere', ['paths', 1, 'target'], null],
    ['a target that is no Base64', ['paths', 1, 'target'], 'YQ'],
    ['a reason that is no text', ['paths', 3, 'reason'], ['x']],
    ['a name twice', ['listings', 0, 'entries'], [`f${base64('x')}`, `f${base64('x')}`]],
    ['names out of order', ['listings', 0, 'entries'], [`f${base64('x')}`, `d${base64('x')}`]],
    ['a name without a kind', ['listings', 0, 'entries'], [base64('x')]],
    ['a name that is empty', ['listings', 0, 'entries'], ['f']],
    ['no clock', ['clock'], null],
    ['a boot id that is none', ['clock', 'boot_id'], '\u001b'],
  ] as const) {
    it(`refuses ${what}`, () => assert.notEqual(why(withChanged(path, value)), 'understood'))
  }

  it('never throws, and understands nothing else in the place of a value but another of its kind', () => {
    const places = placesIn(ANSWER)
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (path, value) => {
        const parsed = parse(withChanged(path, value))
        if (!('paths' in parsed)) return
        assert.deepEqual([...parsed.paths.keys()], WATCHED.paths)
        for (const facts of parsed.paths.values()) assert.doesNotMatch(textOf(facts), /[\p{Cc}\p{Cf}]/u)
      }),
    )
  })

  it('has room for the longest honest answer', () => {
    const link = { ...LINK, owner: 'o'.repeat(256), group: 'g'.repeat(256), target: base64('x'.repeat(4_095)) }
    const names = Array.from({ length: 20_000 }, (_, n) => `f${base64(String(n).padStart(52, '0'))}`)
    const answer = { ...ANSWER, paths: [link], listings: [{ path: D, kind: 'entries', entries: names }] }
    assert(JSON.stringify(answer).length <= maxAnswerBytes({ paths: [B], listings: [{ path: D, recurse: true }] }))
  })
})

function textOf(facts: object): string {
  return Object.values(facts).join(' ')
}

function placesIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const below = keys.flatMap((key) => placesIn((value as Record<string | number, unknown>)[key], [...path, key]))
  return path.length === 0 ? below : [path, ...below]
}
