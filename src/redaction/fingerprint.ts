import { createHmac } from 'node:crypto'
import type { Mark } from './redact.ts'

// Enough to tell two secrets apart at a glance, too little to find one by trying: of 65,536 guesses one fits by chance,
// even for somebody who has the key.
const LENGTH = 4

/**
 * Marks secrets with a short keyed fingerprint: equal secrets of a repository look alike wherever they stand, a changed
 * one looks changed. Without the key a fingerprint says nothing, and with the key of another repository neither.
 */
export function fingerprintMark(key: string, repo: string): Mark {
  const own = createHmac('sha256', key).update(`gitops-status diff\0${repo}`).digest()
  return (secret) => `‹redacted ${createHmac('sha256', own).update(secret).digest('hex').slice(0, LENGTH)}›`
}
