import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { aToken } from '../store/token-store-contract.ts'
import { covers, coversAll, isLike, stateOf } from './token.ts'

describe('a pattern of names', () => {
  const CASES: readonly [name: string, glob: string, isLike: boolean][] = [
    ['rsyslog', 'rsyslog', true],
    ['rsyslog', 'Rsyslog', false],
    ['rsyslog', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['rsyslog-lab', 'rsyslog-*', true],
    ['rsyslog', 'rsyslog-*', false],
    ['web-1.example.org', 'web-?.example.org', true],
    ['web-12.example.org', 'web-?.example.org', false],
    ['owner/name', 'owner/*', true],
    ['owner/name', '*name', true],
    ['aXbXc', 'a*b*c', true],
    ['ab', 'a*b*c', false],
    ['a.c', 'a?c', true],
    ['abc', 'a.c', false],
    ['a[bc', 'a[bc', true],
    ['x', '', false],
  ]
  for (const [name, glob, expected] of CASES) {
    it(`${JSON.stringify(glob)} ${expected ? 'is' : 'is not'} like ${JSON.stringify(name)}`, () => {
      assert.equal(isLike(name, glob), expected)
    })
  }

  it('means what a regular expression of the same means', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*', '?', '/'), { maxLength: 12 }).map((all) => all.join(''))
    fc.assert(
      fc.property(text, text, (name, glob) => {
        const pattern = glob.replaceAll('/', '\\/').replaceAll('*', '.*').replaceAll('?', '.')
        assert.equal(isLike(name, glob), new RegExp(`^${pattern}$`, 's').test(name))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is decided in steps that grow with the lengths only, whatever somebody makes up', () => {
    let steps = 0
    const name = new Proxy(Object('a'.repeat(253)), {
      get(target, key) {
        steps += 1
        return key === 'length' ? 253 : Reflect.get(target, key)
      },
    })
    assert.equal(isLike(name, `${'*a'.repeat(126)}b`), false)
    assert.ok(steps < 4 * 253 * 253, `${steps} looks at the name`)
  })
})

describe('a token', () => {
  it('covers targets whose repository and server are both like one of its patterns', () => {
    const token = aToken('a', { repos: ['rsyslog', 'web-*'], servers: ['lab-*', 'srv1'] })
    assert.equal(covers(token, { repo: 'rsyslog', server: 'lab-1' }), true)
    assert.equal(covers(token, { repo: 'web-a', server: 'srv1' }), true)
    assert.equal(covers(token, { repo: 'rsyslog', server: 'prod' }), false)
    assert.equal(covers(token, { repo: 'other', server: 'lab-1' }), false)
    assert.equal(coversAll(token), false)
    assert.equal(coversAll(aToken('a', { repos: ['x', '*'], servers: ['*'] })), true)
  })

  it('is over from the very moment at which it expires, and revoked whenever it was', () => {
    assert.equal(stateOf(aToken('a', { expiresAt: 1_000 }), 999), 'valid')
    assert.equal(stateOf(aToken('a', { expiresAt: 1_000 }), 1_000), 'expired')
    assert.equal(stateOf(aToken('a', { revokedAt: 1_000 }), 0), 'revoked')
  })
})
