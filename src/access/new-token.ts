import { randomBytes } from 'node:crypto'
import type { Scope, Token } from '../domain/token.ts'
import { digestOfSecret, newSecret } from './secret.ts'

export interface Grant {
  readonly label: string
  readonly scopes: readonly Scope[]
  readonly repos: readonly string[]
  readonly servers: readonly string[]
  readonly expiresAt: number | null
}

export interface NewToken {
  /** Shown once. */
  readonly secret: string
  readonly token: Token
}

export function makeToken(grant: Grant, now: Date): NewToken {
  const secret = newSecret()
  const digest = digestOfSecret(secret)
  if (digest === null) throw new Error('a new token has not the form of one')
  const id = randomBytes(4).toString('hex')
  return {
    secret,
    token: { ...grant, id, digest, createdAt: now.getTime(), revokedAt: null, usedAt: null },
  }
}
