import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { agoWords, beforeWords, durationWords, momentOf, timeWords, zoneWords } from './time-words.ts'

// A zone with summer time; the machine's own may be UTC, where nothing could be mistaken.
process.env.TZ = 'Europe/Berlin'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('a duration in words', () => {
  const WORDS: readonly (readonly [number, string])[] = [
    [-5 * MINUTE, '0 s'],
    [0, '0 s'],
    [999, '0 s'],
    [89.9 * SECOND, '89 s'],
    [90 * SECOND, '1 min'],
    [89 * MINUTE, '89 min'],
    [90 * MINUTE, '1 h 30 min'],
    [2 * HOUR, '2 h'],
    [2 * HOUR + 5 * MINUTE, '2 h 5 min'],
    [DAY - 1, '23 h 59 min'],
    [DAY, '1 day'],
    [DAY + HOUR, '1 day 1 h'],
    [2 * DAY, '2 days'],
    [13 * DAY + 23 * HOUR, '13 days 23 h'],
    [14 * DAY, '14 days'],
    [400 * DAY, '400 days'],
  ]
  for (const [ms, words] of WORDS) it(`of ${ms} ms is ${words}`, () => assert.equal(durationWords(ms), words))

  it('says just now for what is not two seconds old, and for what a clock puts ahead', () => {
    assert.equal(agoWords(1_999), 'just now')
    assert.equal(agoWords(-HOUR), 'just now')
    assert.equal(agoWords(2_000), '2 s ago')
  })
})

describe('a time', () => {
  const SUMMER = Date.parse('2026-04-21T22:30:05.999Z')
  const WINTER = Date.parse('2026-01-21T10:30:05Z')

  it('is written to the second, in UTC and as it is here', () => {
    assert.equal(timeWords('utc', SUMMER), '2026-04-21 22:30:05')
    assert.equal(timeWords('local', SUMMER), '2026-04-22 00:30:05')
    assert.equal(timeWords('local', WINTER), '2026-01-21 11:30:05')
  })

  it('names its zone by the distance from UTC in that very moment', () => {
    assert.deepEqual(
      [zoneWords('utc', SUMMER), zoneWords('local', SUMMER), zoneWords('local', WINTER)],
      ['UTC', 'UTC+02:00', 'UTC+01:00'],
    )
  })

  it('is read from a field as it was written into it, in either zone', () => {
    for (const zone of ['utc', 'local'] as const) {
      assert.equal(momentOf(zone, timeWords(zone, SUMMER).replace(' ', 'T')), SUMMER - 999)
    }
    assert.equal(momentOf('utc', '2026-04-21T10:30'), Date.parse('2026-04-21T10:30:00Z'))
    assert.equal(momentOf('local', ''), null)
  })
})

describe('an age at a moment in the past', () => {
  it('is told from that moment, and says so', () => {
    assert.equal(beforeWords(12 * 60_000), '12 min before that moment')
    assert.equal(beforeWords(0), 'at that moment')
    assert.equal(beforeWords(-5_000), '5 s after that moment')
  })
})
