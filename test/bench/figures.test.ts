import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atLeast, neverAbove } from '../../bench/figures/goal.ts'
import { ratiosOf, spreadOf } from '../../bench/figures/spread.ts'
import { latencyOf } from '../../bench/load/latencies.ts'
import { runRounds } from '../../bench/rounds.ts'

describe('the figures', () => {
  it('name the minimum, the median and the maximum', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 })
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 })
    assert.equal(spreadOf([]), null)
  })

  it('divide only what was measured in the same round, and leave out void rounds', () => {
    assert.deepEqual(ratiosOf([10, null, 30, 40], [1, 2, null, 0]), [10])
  })

  it('take the 99th of a hundred latencies, not an average', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
    assert.deepEqual(latencyOf(hundred), { p50: 50, p99: 99, max: 100 })
    assert.deepEqual(latencyOf([]), { p50: 0, p99: 0, max: 0 })
  })

  it('judge ratios by their median, pauses by the longest, and nothing at all as a miss', () => {
    assert.equal(atLeast(2, '', [1, 2, 9]).isMet, true)
    assert.equal(atLeast(2, '', [1, 1, 9]).isMet, false)
    assert.equal(neverAbove(50, 'ms', '', [1, 1, 51]).isMet, false)
    assert.equal(neverAbove(50, 'ms', '', []).isMet, false)
  })
})

it('rounds turn round every other time', async () => {
  const order: string[] = []
  const slot = (name: string) => ({ name, measure: async () => order.push(name) })
  const figures = await runRounds(3, [slot('a'), slot('b')], () => {})
  assert.deepEqual(order, ['a', 'b', 'b', 'a', 'a', 'b'])
  assert.deepEqual(figures.get('b'), [2, 3, 6])
})
