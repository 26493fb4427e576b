import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AuditEntry, Token } from '../domain/token.ts'
import type { TokenStore } from './token-store.ts'

export function aToken(id: string, changes: Partial<Token> = {}): Token {
  return {
    id,
    digest: `digest of ${id}`,
    label: 'ci',
    scopes: ['write'],
    repos: ['rsyslog'],
    servers: ['rsyslog-*'],
    createdAt: 1_000,
    expiresAt: null,
    revokedAt: null,
    usedAt: null,
    ...changes,
  }
}

export function anEntry(subject: string): AuditEntry {
  return { at: 1_000, actor: 'root on srv1', action: 'token.create', subject }
}

interface Opened {
  readonly tokens: TokenStore
  close(): Promise<void>
}

/** Holds a store to the promises of `token-store.ts`, in the same words. `open` gives an empty one. */
export function describeTokenStore(name: string, open: () => Promise<Opened>, skip: string | false = false): void {
  describe(`store of tokens: ${name}`, { skip }, () => {
    let store: Opened
    let tokens: TokenStore
    beforeEach(async () => {
      store = await open()
      tokens = store.tokens
    })
    afterEach(() => store.close())

    it('has every token in the order in which they were made, those that are over among them', async () => {
      const over = aToken('b', { createdAt: 1_000, revokedAt: 1_500, expiresAt: 1_200, usedAt: 1_100 })
      const later = aToken('a', { createdAt: 2_000, scopes: ['read', 'write'], repos: ['a,"b"', '*'], label: 'größer' })
      await tokens.put(over, anEntry('b'))
      await tokens.put(later, anEntry('a'))

      assert.deepEqual(await tokens.list(), [over, later])
    })

    it('remembers what has become of the token with that id, together with its line of the audit log', async () => {
      await tokens.put(aToken('a'), anEntry('first'))
      await tokens.put(aToken('b'), anEntry('second'))
      await tokens.put(aToken('a', { revokedAt: 3_000 }), anEntry('third'))

      assert.deepEqual(
        (await tokens.list()).map(({ id, revokedAt }) => [id, revokedAt]),
        [
          ['a', 3_000],
          ['b', null],
        ],
      )
      assert.deepEqual(await tokens.auditLog(2), [anEntry('third'), anEntry('second')])
    })

    it('leaves revoked what was, and puts off no end', async () => {
      const read = aToken('a', { expiresAt: 9_000 })
      await tokens.put(read, anEntry('a'))
      await tokens.put({ ...read, revokedAt: 3_000 }, anEntry('revoked'))
      await tokens.put({ ...read, expiresAt: 5_000 }, anEntry('rotated by one who did not know'))
      await tokens.put({ ...read, expiresAt: null }, anEntry('put off'))
      await tokens.put(aToken('b'), anEntry('b'))
      await tokens.put(aToken('b', { expiresAt: 4_000 }), anEntry('b'))
      await tokens.put(aToken('c'), anEntry('c'))
      await tokens.put(aToken('c'), anEntry('c'))

      assert.deepEqual(
        (await tokens.list()).map(({ id, revokedAt, expiresAt }) => [id, revokedAt, expiresAt]),
        [
          ['a', 3_000, 5_000],
          ['b', null, 4_000],
          ['c', null, null],
        ],
      )
    })

    it('changes nothing when a use is noted that is earlier than the one that is known', async () => {
      await tokens.put(aToken('a'), anEntry('a'))
      await tokens.noteUse([{ id: 'a', at: 5_000 }])
      await tokens.noteUse([
        { id: 'a', at: 4_000 },
        { id: 'nobody', at: 6_000 },
      ])

      assert.deepEqual(await tokens.list(), [aToken('a', { usedAt: 5_000 })])
    })

    it('refuses a second token of the same digest, and stores neither it nor its line', async () => {
      await tokens.put(aToken('a', { digest: 'one' }), anEntry('a'))

      await assert.rejects(tokens.put(aToken('b', { digest: 'one' }), anEntry('b')))

      assert.equal((await tokens.list()).length, 1)
      assert.deepEqual(await tokens.auditLog(10), [anEntry('a')])
    })

    it('has the newest lines of the audit log, the newest first', async () => {
      for (const subject of ['first', 'second', 'third']) await tokens.audit(anEntry(subject))

      assert.deepEqual(await tokens.auditLog(2), [anEntry('third'), anEntry('second')])
    })
  })
}
