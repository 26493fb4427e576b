import { timingSafeEqual } from 'node:crypto'
import { keyed } from './keyed.ts'

/** One line of JSON, and one with the seal of exactly these bytes. */
export function seal(body: string, key: Buffer): string {
  return `${body}\n${keyed(key, 'seal', body)}\n`
}

/** Null when the seal does not fit. Nothing of it is parsed before: whoever broke the seal could have written anything. */
export function unseal(text: string, key: Buffer): string | null {
  const [body = '', found = '', ...rest] = text.split('\n')
  const expected = Buffer.from(keyed(key, 'seal', body))
  const given = Buffer.from(found)
  if (rest.join('') !== '' || given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  return body
}
