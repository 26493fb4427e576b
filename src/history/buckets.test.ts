import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bucketsIn } from './buckets.ts'

const at = (text: string) => Date.parse(`2026-04-21T${text}Z`)
const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19)

describe('the times of a graph', () => {
  it('are multiples of the step, and the first is where the span begins', () => {
    const { times } = bucketsIn({ from: at('10:03:20'), to: at('10:20:00'), stepMs: 300_000, maxPoints: 100 })
    assert.deepEqual(times.map(clock), ['10:03:20', '10:05:00', '10:10:00', '10:15:00', '10:20:00'])
  })

  it('are as near as the number of points allows, at distances that one can name', () => {
    const { times } = bucketsIn({ from: at('00:00:00'), to: at('23:59:59'), stepMs: null, maxPoints: 300 })
    assert.deepEqual(times.slice(0, 3).map(clock), ['00:00:00', '00:05:00', '00:10:00'])
  })

  it('are fewer than the step asks for when there would be too many', () => {
    const { times } = bucketsIn({ from: at('00:00:00'), to: at('12:00:00'), stepMs: 1_000, maxPoints: 13 })
    assert.deepEqual(times.slice(0, 2).map(clock), ['00:00:00', '01:00:00'])
  })

  it('begin where the span does, ascend, are never too many, and never none', () => {
    fc.assert(
      fc.property(
        fc.record({
          from: fc.integer({ min: -1e12, max: 2e12 }),
          length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e12 })),
          stepMs: fc.option(fc.integer({ min: 1, max: 1e10 })),
          maxPoints: fc.integer({ min: 1, max: 1_000 }),
        }),
        ({ from, length, stepMs, maxPoints }) => {
          const to = from + length
          const { times, until } = bucketsIn({ from, to, stepMs, maxPoints })
          assert.ok(times.length >= 1 && times.length <= maxPoints)
          assert.deepEqual([times[0], until], [from, to])
          assert.ok(times.every((time, index) => time <= to && time > (times[index - 1] ?? Number.NEGATIVE_INFINITY)))
        },
      ),
    )
  })
})
