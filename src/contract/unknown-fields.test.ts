import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import Type from 'typebox'
import { createIsPlain, unknownFieldsOf } from './unknown-fields.ts'

const INNER = Type.Object({ x: Type.Optional(Type.Number()), y: Type.Optional(Type.Number()) })
const SCHEMA = Type.Object({ a: Type.Optional(Type.Number()), list: Type.Array(INNER), inner: Type.Optional(INNER) })

/** An object with some of these fields, in any order. */
function someOf(fields: Record<string, fc.Arbitrary<unknown>>) {
  return fc
    .shuffledSubarray(Object.keys(fields))
    .chain((names) =>
      fc
        .tuple(...names.map((name) => fields[name] ?? fc.constant(null)))
        .map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]]))),
    )
}

describe('createIsPlain', () => {
  const isPlain = createIsPlain(SCHEMA)
  const inner = someOf({ x: fc.nat(), y: fc.nat(), z: fc.nat(), ['__proto__']: fc.nat() })
  const value = someOf({ a: fc.nat(), list: fc.array(inner, { maxLength: 3 }), inner, other: fc.nat() })

  it('finds plain what unknownFieldsOf would give back as it is, and nothing else', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(value, (value) => {
        const { known, unknown } = unknownFieldsOf(SCHEMA, value)
        const isTheSame = unknown.length === 0 && JSON.stringify(known) === JSON.stringify(value)
        seen.add(isTheSame)
        assert.equal(isPlain(value), isTheSame)
      }),
      { numRuns: 5_000 },
    )
    assert.equal(seen.size, 2)
  })
})
