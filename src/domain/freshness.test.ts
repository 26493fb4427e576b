import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_PERIOD_MS, freshnessOf } from './freshness.ts'

describe('freshness', () => {
  const CASES = [
    { silentMs: 0, is: 'FRESH' },
    { silentMs: 120_000, is: 'FRESH' },
    { silentMs: 120_001, is: 'LATE' },
    { silentMs: 300_000, is: 'LATE' },
    { silentMs: 300_001, is: 'STALE' },
  ]
  for (const { silentMs, is } of CASES) {
    it(`is ${is} after ${silentMs} ms of silence, with the default period`, () => {
      assert.equal(freshnessOf({ silentMs, periodMs: DEFAULT_PERIOD_MS, ageOnArrivalMs: 0 }), is)
    })
  }

  it('counts in the periods that the reporter promised', () => {
    assert.equal(freshnessOf({ silentMs: 25_001, periodMs: 10_000, ageOnArrivalMs: 0 }), 'STALE')
    assert.equal(freshnessOf({ silentMs: 25_001, periodMs: 3_600_000, ageOnArrivalMs: 0 }), 'FRESH')
  })

  it('is LATE from the start for a report that was over when it arrived', () => {
    const ageOnArrivalMs = 300_001
    assert.equal(freshnessOf({ silentMs: 0, periodMs: DEFAULT_PERIOD_MS, ageOnArrivalMs }), 'LATE')
    assert.equal(freshnessOf({ silentMs: 300_001, periodMs: DEFAULT_PERIOD_MS, ageOnArrivalMs }), 'STALE')
  })

  it('is not confused by a reporter whose clock is ahead', () => {
    assert.equal(freshnessOf({ silentMs: 0, periodMs: DEFAULT_PERIOD_MS, ageOnArrivalMs: -299_000 }), 'FRESH')
  })
})
