import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { mapInTurns, sortInTurns } from './turns.ts'

it('sorts in turns as at once, and keeps the order of what is equal', async () => {
  const one = fc.record({ key: fc.integer({ min: 0, max: 50 }), id: fc.integer() })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 3_000, size: 'max' }), async (items) => {
      const byKey = (a: { key: number }, b: { key: number }) => a.key - b.key
      assert.deepEqual(await sortInTurns(items, byKey), items.toSorted(byKey))
    }),
    { numRuns: 30 },
  )
})

it('gives the event loop its turn', async () => {
  let turns = 0
  let isDone = false
  function count() {
    turns++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await mapInTurns(Array(5_000).fill(0), () => {})
  isDone = true
  assert.ok(turns >= 5, `${turns} turns`)
})
