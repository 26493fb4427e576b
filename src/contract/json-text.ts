import { isUtf8 } from 'node:buffer'
import { Fault } from '../domain/fault.ts'
import { MAX_DEPTH } from './limits.ts'

/**
 * Decodes a request's JSON. Refuses what `JSON.parse` would quietly repair or choose from: bytes that are not UTF-8
 * (it would replace them), the same key twice (it would take the last), and nesting that no report needs.
 *
 * @throws Fault `malformed_body`
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw new Fault('malformed_body', 'The body is not UTF-8')
  // Keeps a byte order mark, unlike a TextDecoder as it comes; JSON.parse then refuses it.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

  // Before parsing: the scan is iterative, so a body of brackets alone cannot exhaust anything.
  const keysWritten = countKeys(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Fault('malformed_body', `The body is not JSON: ${reasonOf(cause)}`, { cause })
  }
  // JSON.parse keeps one of two equal keys, so what it kept is less than what was written. Not where a key may have an
  // escape: V8 13.6 sometimes reads the key "\u0061" as a backslash, and then keeps both.
  if (text.includes('\\') || keysIn(value) !== keysWritten) refuseDuplicateKeys(text)
  return value
}

/**
 * How many keys the text writes down, if it is JSON: each has one colon after it, outside of all strings.
 *
 * @throws Fault `malformed_body` when it is nested too deep
 */
function countKeys(text: string): number {
  let keys = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case COLON:
        keys++
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++
        if (depth > MAX_DEPTH) throw new Fault('malformed_body', `The body is nested deeper than ${MAX_DEPTH} levels`)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--
        break
    }
  }
  return keys
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += keysIn(item)
    return keys
  }
  // Not by Object.values: that copies, and what JSON.parse made has no keys but its own.
  for (const name in value) keys += 1 + keysIn(Reflect.get(value, name))
  return keys
}

/**
 * Names a key that is there twice. Only for text that is known to be JSON: a string is a key when it stands in an object
 * and a colon follows.
 */
function refuseDuplicateKeys(text: string): void {
  const objects: (Set<string> | null)[] = []
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        const keys = objects.at(-1)
        if (keys && followedByColon(text, end)) {
          const key: unknown = JSON.parse(text.slice(at, end + 1)) // so that "a" and "\u0061" are one key
          if (keys.has(String(key))) {
            throw new Fault('malformed_body', `The body has the key ${JSON.stringify(key)} twice in one object`)
          }
          keys.add(String(key))
        }
        at = end
        break
      }
      case OPEN_BRACE:
        objects.push(new Set())
        break
      case OPEN_BRACKET:
        objects.push(null)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        objects.pop()
        break
    }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Index of the closing quote; the text's end, or beyond it, when there is none. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  if (at === -1) return text.length
  if (text.charCodeAt(at - 1) !== BACKSLASH) return at // nearly always, and this search is many times faster

  at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

function followedByColon(text: string, end: number): boolean {
  let at = end + 1
  while (/\s/.test(text.charAt(at))) at++
  return text.charCodeAt(at) === COLON
}

// V8 quotes the text around the mistake. That is the caller's own, but not for our log at any length.
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 120).toWellFormed() : 'cannot be read'
}
