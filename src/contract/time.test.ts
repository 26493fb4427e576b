import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatTime, parseMoment, parseTime } from './time.ts'

describe('parseTime', () => {
  for (const text of ['2026-04-21T10:30:00Z', '2026-04-21T12:30:00+02:00', '2026-04-21T10:30:00.000000000Z']) {
    it(`reads ${text}`, () => {
      assert.equal(parseTime(text)?.toISOString(), '2026-04-21T10:30:00.000Z')
    })
  }

  it('reads back whatever it writes', () => {
    const range = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }
    fc.assert(
      fc.property(fc.date(range), (time) => {
        assert.equal(parseTime(formatTime(time))?.getTime(), Math.floor(time.getTime() / 1_000) * 1_000)
      }),
    )
  })

  const IMPOSSIBLE = {
    'no zone': '2026-04-21T10:30:00',
    'no time': '2026-04-21',
    'a day that does not exist': '2026-02-30T10:30:00Z',
    '29 February of a common year': '2026-02-29T10:30:00Z',
    '29 February of 1900': '1900-02-29T10:30:00Z',
    'month 13': '2026-13-01T10:30:00Z',
    'day 0': '2026-04-00T10:30:00Z',
    '24:00': '2026-04-21T24:00:00Z',
    'minute 60': '2026-04-21T10:60:00Z',
    'a leap second': '2026-06-30T23:59:60Z',
    'a zone of 24 hours': '2026-04-21T10:30:00+24:00',
    'a space for the T': '2026-04-21 10:30:00Z',
    'more after it': '2026-04-21T10:30:00Zjunk',
    'six digits of year': '+002026-04-21T10:30:00Z',
  }
  for (const [what, text] of Object.entries(IMPOSSIBLE)) {
    it(`refuses ${what}`, () => assert.equal(parseTime(text), null))
  }

  it('reads the moments of dashboards: with a zone, in milliseconds and in seconds since 1970', () => {
    for (const text of ['2026-04-21T10:30:00Z', '2026-04-21T12:30:00+02:00', '1776767400000', '1776767400']) {
      assert.equal(parseMoment(text)?.toISOString(), '2026-04-21T10:30:00.000Z', text)
    }
    assert.equal(parseMoment('0')?.getTime(), 0)
    for (const text of ['now', '-1', '1776767400.5', '1'.repeat(16)]) assert.equal(parseMoment(text), null, text)
  })

  it('knows leap years', () => {
    assert.notEqual(parseTime('2024-02-29T00:00:00Z'), null)
    assert.notEqual(parseTime('2000-02-29T00:00:00Z'), null)
  })
})
