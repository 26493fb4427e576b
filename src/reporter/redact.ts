/**
 * Takes secrets out of what others say: servers and proxies repeat what they were sent, as it was or in base64, and
 * written for JSON, for an address or for HTML.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, inBase64(secret, 'base64'), inBase64(secret, 'base64url')])
    // The longest first: of user:password nothing is to be left when the password is a secret of its own.
    .sort((a, b) => b.length - a.length)
  if (forms.length === 0) return (text) => text
  const pattern = new RegExp(forms.map((form) => [...form].map(spellings).join('')).join('|'), 'gu')
  return (text) => text.replace(pattern, '***')
}

// Some leave out the padding.
function inBase64(secret: string, encoding: 'base64' | 'base64url'): string {
  return Buffer.from(secret).toString(encoding).replace(/=+$/, '')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

/** A pattern of one character, however it is written. Each may be escaped or not: no two writers agree on which. */
function spellings(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const units = character.split('').map((unit) => `\\\\u${hex(unit.charCodeAt(0), 4)}`)
  const bytes = [...Buffer.from(character)].map((byte) => `%${hex(byte, 2)}`)
  const entity = ENTITIES[character]
  return `(?:${[
    ...(['"', '\\', '/'].includes(character) ? [`\\\\${literal(code)}`] : []),
    units.join(''),
    bytes.join(''),
    `&#(?:0*${code}|[xX]0*${hex(code, 1)});`,
    ...(entity === undefined ? [] : [`&${entity};`]),
    literal(code),
  ].join('|')})`
}

function literal(code: number): string {
  return `\\u{${code.toString(16)}}`
}

function hex(value: number, width: number): string {
  return value
    .toString(16)
    .padStart(width, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}
