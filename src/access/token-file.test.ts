import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTokenFile } from './token-file.ts'

const SHA256 = 'ab'.repeat(32)

function entryWith(changes: object): string {
  return JSON.stringify([{ sha256: SHA256, scope: 'write', ...changes }])
}

describe('a file of tokens', () => {
  it('is read as it was written', () => {
    const text = entryWith({
      label: 'ci',
      scope: 'write,read',
      repo: 'rsyslog',
      server: 'a-*,b',
      expires: '2030-01-31',
    })
    assert.deepEqual(parseTokenFile(text), [
      {
        id: 'abababab',
        digest: SHA256,
        label: 'ci',
        scopes: ['read', 'write'],
        repos: ['rsyslog'],
        servers: ['a-*', 'b'],
        createdAt: 0,
        expiresAt: Date.parse('2030-01-31T23:59:59Z'),
        revokedAt: null,
        usedAt: null,
      },
    ])
  })

  it('covers everything for ever where it says nothing of it', () => {
    const [token] = parseTokenFile(entryWith({}))
    assert.deepEqual([token?.repos, token?.servers, token?.expiresAt], [['*'], ['*'], null])
  })

  const REFUSED: readonly [text: string, problem: RegExp][] = [
    ['{}', /must be a list/],
    ['[3]', /: \[0\]: must be an object/],
    ['[{', /JSON/],
    [entryWith({ sha256: 'gss_secret' }), /: \[0\]\.sha256: must be the 64/],
    [entryWith({ sha256: undefined }), /: \[0\]\.sha256: is missing/],
    [entryWith({ scope: 'root' }), /: \[0\]\.scope: must be one of read, write, admin/],
    [entryWith({ scope: undefined }), /: \[0\]\.scope: is missing/],
    [entryWith({ scope: ['write'] }), /: \[0\]\.scope: must be a text/],
    [entryWith({ repo: '' }), /: \[0\]\.repo: must be 1 to 50 names/],
    [entryWith({ expires: '30d' }), /: \[0\]\.expires: must be never or a day/],
    [entryWith({ expires: '2030-02-31' }), /: \[0\]\.expires/],
    [entryWith({ label: 'a\u001b[2J' }), /: \[0\]\.label/],
    [entryWith({ expire: 'never' }), /: \[0\]\.expire: is not a field/],
    [
      JSON.stringify([
        { sha256: SHA256, scope: 'read' },
        { sha256: SHA256, scope: 'write' },
      ]),
      /: \[1\]\.sha256: is there twice/,
    ],
  ]
  for (const [text, problem] of REFUSED) {
    it(`is refused when it is ${text.replace(SHA256, '…').slice(0, 70)}`, () => {
      assert.throws(() => parseTokenFile(text), problem)
    })
  }

  it('is told of every mistake at once', () => {
    assert.throws(() => parseTokenFile(entryWith({ scope: 'root', repo: '' })), /scope.*; \[0\]\.repo/)
  })
})
