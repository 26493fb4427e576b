import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type from 'typebox'
import { Fault } from '../domain/fault.ts'
import { createQueryReader, type Query } from './query.ts'

// What a dashboard sends when it does not know its own variable.
const NOT_REPLACED = ['$', '{server}'].join('')

const read = createQueryReader(
  Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
    repo: Type.Optional(Type.String()),
    format: Type.Optional(Type.Enum(['json', 'csv'])),
  }),
)

function fieldsRefused(query: Query): string[] {
  try {
    read(query)
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'invalid_filter')
    return error.problems.map(({ field }) => field)
  }
  return []
}

describe('a query string', () => {
  it('is read as what its schema says, and empty parameters are left out', () => {
    assert.deepEqual(read({ limit: '3', repo: '', format: 'csv' }), { limit: 3, format: 'csv' })
    assert.deepEqual(read({ repo: ['a', 'b'] }), { repo: 'a,b' })
    assert.deepEqual(read({ limit: '' }), {})
  })

  it('may have a $ and brackets that are no variable', () => {
    assert.deepEqual(read({ repo: 'a$,[b],$5' }), { repo: 'a$,[b],$5' })
  })

  it('may have parameters that the route does not know', () => {
    assert.deepEqual(read({ _: '1', __proto__: 'x', constructor: 'y', toString: 'z' }), {})
  })

  const REFUSED: [Query, string[]][] = [
    [{ limit: '0' }, ['limit']],
    [{ limit: '11' }, ['limit']],
    [{ limit: '1.5' }, ['limit']],
    [{ limit: '1e1' }, ['limit']],
    [{ limit: ' 1' }, ['limit']],
    [{ limit: ['1', '2'] }, ['limit']],
    [{ format: 'xml' }, ['format']],
    [{ limit: NOT_REPLACED }, ['limit']],
    [{ anything: NOT_REPLACED }, ['anything']],
    [{ repo: '$repo' }, ['repo']],
    [{ repo: 'a,$__all' }, ['repo']],
    [{ repo: '[[repo]]' }, ['repo']],
    [{ repo: '[[repo:csv]]' }, ['repo']],
    [{ repo: ['a', NOT_REPLACED] }, ['repo']],
    [{ limit: 'x', format: 'y', repo: NOT_REPLACED }, ['repo', 'limit', 'format']],
  ]
  for (const [query, fields] of REFUSED) {
    it(`like ${JSON.stringify(query)} is refused, naming ${fields}`, () => {
      assert.deepEqual(fieldsRefused(query).toSorted(), fields.toSorted())
    })
  }
})
