import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { SortedKeys } from './sorted-keys.ts'

it('names are in order whatever is added, removed and asked for in between', () => {
  const step = fc.record({ does: fc.constantFrom('add', 'remove', 'ask'), name: fc.string({ maxLength: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const names = new SortedKeys()
      const expected = new Set<string>()
      for (const { does, name } of steps) {
        if (does === 'add' && !expected.has(name)) names.add(name)
        if (does === 'add') expected.add(name)
        if (does === 'remove') names.remove(name)
        if (does === 'remove') expected.delete(name)
        if (does === 'ask') assert.deepEqual(names.inOrder(), [...expected].sort())
      }
      assert.deepEqual(names.inOrder(), [...expected].sort())
    }),
  )
})

it('so many names at once are in order, too', () => {
  const names = new SortedKeys()
  for (let n = 0; n < 25_000; n++) names.add(String((n * 7_919) % 25_000))
  assert.deepEqual(names.inOrder(), Array.from({ length: 25_000 }, (_, n) => String(n)).sort())
})
