import { createHmac } from 'node:crypto'

/** A hash that only the holder of the key can compare with a guess: a short password in a file is quickly guessed. */
export function keyed(key: Buffer, purpose: 'content' | 'binding' | 'seal', text: string): string {
  return createHmac('sha256', key).update(`${purpose}\0${text}`).digest('hex')
}
