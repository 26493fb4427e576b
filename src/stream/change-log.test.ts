import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Beginning, type Change, type ChangeLog, createChangeLog } from './change-log.ts'

const NOTHING: Beginning = { seq: 0, removalsKnownSince: 0, changes: [] }

function changed(server: string, seq: number | null): Change {
  return { target: { repo: 'fleet', server }, event: 'target', seq }
}

function removed(server: string, seq: number): Change {
  return { target: { repo: 'fleet', server }, event: 'removed', seq }
}

function logOf(...changes: readonly Change[]): ChangeLog {
  const log = createChangeLog(NOTHING)
  for (const change of changes) log.append(change)
  return log
}

function serversAfter(log: ChangeLog, place: number | null): string[] {
  assert.notEqual(place, null)
  return [...log.entriesAfter(place ?? 0)].map(({ target }) => target.server)
}

describe('the log of changes', () => {
  it('holds each target once, where its newest change stands', () => {
    const log = logOf(changed('a', 1), changed('b', 2), changed('a', 3), changed('c', 4), changed('a', 5))
    assert.deepEqual(serversAfter(log, 0), ['b', 'c', 'a'])
  })

  it('finds what came after a record, also when that record is no longer held', () => {
    const log = logOf(changed('a', 1), changed('b', 2), changed('a', 5), changed('c', 7))
    assert.deepEqual(serversAfter(log, log.placeOf(0)), ['b', 'a', 'c'])
    assert.deepEqual(serversAfter(log, log.placeOf(1)), ['b', 'a', 'c'])
    assert.deepEqual(serversAfter(log, log.placeOf(2)), ['a', 'c'])
    assert.deepEqual(serversAfter(log, log.placeOf(6)), ['c'])
    assert.deepEqual(serversAfter(log, log.placeOf(7)), [])
  })

  it('repeats a silence that began after the newest record that someone saw', () => {
    const log = logOf(changed('a', 1), changed('b', 2), changed('a', null))
    assert.deepEqual(serversAfter(log, log.placeOf(2)), ['a'])
    log.append(changed('c', 3))
    assert.deepEqual(serversAfter(log, log.placeOf(2)), ['a', 'c'])
    assert.deepEqual(serversAfter(log, log.placeOf(3)), [])
  })

  it('cannot say what came after a record that it does not have yet, or after what is no number', () => {
    const log = createChangeLog({ seq: 9, removalsKnownSince: 0, changes: [] })
    assert.equal(log.placeOf(10), null)
    assert.equal(log.placeOf(Number.NaN), null)
    assert.equal(log.placeOf(9), log.end())
  })

  it('cannot say what came after a record before the removals that it began with', () => {
    const log = createChangeLog({
      seq: 9,
      removalsKnownSince: 5,
      changes: [changed('a', 7) as Change & { seq: number }],
    })
    assert.equal(log.placeOf(4), null)
    assert.deepEqual(serversAfter(log, log.placeOf(5)), ['a'])
  })

  it('forgets the oldest of more than 10,000 removals, and knows that it did', () => {
    const log = logOf(...Array.from({ length: 10_000 }, (_, index) => removed(`r${index}`, index + 1)))
    assert.notEqual(log.placeOf(0), null)
    assert.equal(log.forgotten(), 0)

    log.append(removed('one-more', 10_001))

    assert.equal(log.placeOf(0), null)
    assert.equal(serversAfter(log, log.placeOf(1)).length, 10_000)
    assert.equal(log.forgotten(), 1)
  })

  it('does not count a target as removed that came back', () => {
    const log = logOf(removed('a', 1), changed('a', 2))
    for (let seq = 3; seq <= 10_002; seq++) log.append(removed(`r${seq}`, seq))
    assert.equal(log.forgotten(), 0)
  })

  it('keeps its order through a hundred thousand changes of ten targets', () => {
    const log = createChangeLog(NOTHING)
    for (let seq = 1; seq <= 100_000; seq++) log.append(changed(`t${seq % 10}`, seq))
    assert.deepEqual(
      [...log.entriesAfter(0)].map(({ seq }) => seq),
      Array.from({ length: 10 }, (_, index) => 99_991 + index),
    )
    assert.equal(serversAfter(log, log.placeOf(99_995)).length, 5)
  })
})
