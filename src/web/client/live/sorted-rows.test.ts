import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { aRow } from '../../../../test/web/a-row.ts'
import { withChanges } from './sorted-rows.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const change = fc.tuple(key, fc.option(fc.integer({ min: 0, max: 9 }).map((n) => aRow({ drift_count: n }))))

it('rows with changes in them are those of a map that was changed, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change)), (rounds) => {
      const expected = new Map()
      let rows = withChanges([], new Map())
      for (const changes of rounds) {
        for (const [key, row] of new Map(changes)) {
          if (row === null) expected.delete(key)
          else expected.set(key, row)
        }
        rows = withChanges(rows, new Map(changes))
      }
      assert.deepEqual(
        rows,
        [...expected].sort(([a], [b]) => (a < b ? -1 : 1)),
      )
    }),
  )
})
