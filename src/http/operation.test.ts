import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fastify } from 'fastify'
import Type from 'typebox'
import { addRoute, collectOperations, describeOperation, methodsAt } from './operation.ts'

function anOperation(method: 'GET' | 'DELETE', path: string) {
  return describeOperation({
    method,
    path,
    id: `${method} ${path}`,
    tag: 'service',
    right: 'open',
    summary: 'For this test',
    params: Type.Object({}),
    query: Type.Object({}),
    answer: { status: 200, description: 'It went well.', content: {} },
  })
}

describe('a route', () => {
  it('without a description stops the start', () => {
    const server = fastify()
    collectOperations(server)
    assert.throws(() => server.get('/undescribed', async () => ''), /GET \/undescribed has no description/)
  })

  it('is collected once, with the HEAD that comes with a GET', () => {
    const server = fastify()
    const operations = collectOperations(server)
    for (const operation of [anOperation('GET', '/a/{x}.json'), anOperation('DELETE', '/a/{x}.json')]) {
      addRoute(server, operation, async () => '')
    }
    assert.equal(operations.length, 2)
    assert.deepEqual(methodsAt(operations, '/a/b%2Fc.json'), ['GET', 'HEAD', 'DELETE'])
    assert.deepEqual(methodsAt(operations, '/a/b/c.json'), [])
    assert.deepEqual(methodsAt(operations, '/a/bxjson'), [])
  })
})
