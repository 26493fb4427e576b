import { hash, randomBytes } from 'node:crypto'

// 256 random bits: nobody guesses them, so that one round of SHA-256 is enough to keep of it.
const SECRET_BYTES = 32
const FORM = /^gss_[A-Za-z0-9_-]{43}$/

/** A new token. What finds secrets in texts knows it by `gss_`. */
export function newSecret(): string {
  return `gss_${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** Null for what cannot be a token of ours. */
export function digestOfSecret(text: string): string | null {
  return FORM.test(text) ? hash('sha256', text, 'hex') : null
}
