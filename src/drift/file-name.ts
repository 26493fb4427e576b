import { isUtf8 } from 'node:buffer'

/**
 * A path as people read it. Bytes that are not UTF-8, control characters and marks that reorder text become `\xNN`,
 * and a backslash is doubled, so that two paths never look alike and none can move a cursor or forge a line.
 */
export function readablePath(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return escapeText(Buffer.from(bytes).toString('utf8'))
  return [...charactersOf(bytes)].map((part) => (typeof part === 'number' ? hex(part) : escapeText(part))).join('')
}

/** `name` in a report: the path below /etc/, as in `rsyslog.d/30-lab.conf`; any other path whole. */
export function shortName(path: string): string {
  return /^\/etc\/[^/]/.test(path) ? path.slice('/etc/'.length) : path
}

/** Characters, and as numbers the bytes that belong to none. */
function* charactersOf(bytes: Uint8Array): Generator<string | number> {
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at)
    yield length === 0 ? (bytes[at] ?? 0) : Buffer.from(bytes.subarray(at, at + length)).toString('utf8')
    at += length || 1
  }
}

/** Length in bytes of the UTF-8 character that begins here; 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const part = bytes.subarray(at, at + length)
  return part.length === length && isUtf8(part) ? length : 0
}

export function escapeText(text: string): string {
  return text.replace(/[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\\' ? '\\\\' : [...Buffer.from(character)].map(hex).join(''),
  )
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
