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
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

  // Before parsing: the scan is iterative, so a body of brackets alone cannot exhaust anything.
  refuseDepth(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Fault('malformed_body', `The body is not JSON: ${reasonOf(cause)}`, { cause })
  }
  refuseDuplicateKeys(text)
  return value
}

function refuseDepth(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
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
}

/** Only for text that is known to be JSON: a string is a key when it stands in an object and a colon follows. */
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

/** Index of the closing quote; the text's end when there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1
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
