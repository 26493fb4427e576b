import { SCOPES, type Scope } from '../domain/token.ts'

// What people write about a token, at the command line and in a file. Each throws an Error that says what is allowed.

const MAX_LABEL = 80
// What names of repositories and servers consist of (contract/report.ts), and what stands for them.
const GLOB = /^[A-Za-z0-9._/:@*?-]{1,253}$/
const MAX_GLOBS = 50

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 }

/** `write`, or several with commas. */
export function parseScopes(text: string): readonly Scope[] {
  const scopes = new Set(namesIn(text).map(scopeOf))
  if (scopes.size === 0) throw new Error(`must be one of ${SCOPES.join(', ')}, or several with commas`)
  return SCOPES.filter((scope) => scopes.has(scope))
}

function scopeOf(name: string): Scope {
  const found = SCOPES.find((scope) => scope === name)
  if (found === undefined) throw new Error(`must be one of ${SCOPES.join(', ')}, or several with commas`)
  return found
}

/** `rsyslog`, `web-*`, or several with commas. No name of a repository or server has a comma. */
export function parseGlobs(text: string): readonly string[] {
  const globs = namesIn(text)
  if (globs.length === 0 || globs.length > MAX_GLOBS || globs.some((glob) => !GLOB.test(glob))) {
    throw new Error(
      `must be 1 to ${MAX_GLOBS} names with commas, of at most 253 letters, digits and any of . _ - / : @, with * for any characters and ? for one`,
    )
  }
  return globs
}

/** Milliseconds since 1970; null for `never`. */
export function parseExpiry(text: string, now: Date): number | null {
  if (text === 'never') return null
  const [, number, unit] = /^(\d{1,4})([hdwy])$/.exec(text) ?? []
  const at =
    number === undefined ? momentOf(text) : now.getTime() + Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS] // the pattern has these units only
  if (at === null || at <= now.getTime()) {
    throw new Error('must be never, a time from now such as 12h, 30d, 8w, 1y, or a day to come such as 2030-01-31')
  }
  return at
}

/** The same without a time from now: a file says the same whenever it is read. Those that are over are none of its mistakes. */
export function parseFixedExpiry(text: string): number | null {
  if (text === 'never') return null
  const at = momentOf(text)
  if (at === null) throw new Error('must be never or a day such as 2030-01-31')
  return at
}

// A day ends when it has ended everywhere that people think of: in UTC.
function momentOf(text: string): number | null {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  if (!isDay && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text)) return null
  const at = Date.parse(isDay ? `${text}T23:59:59Z` : text)
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(text.slice(0, 10)) ? null : at
}

export function parseLabel(text: string): string {
  if (text.length > MAX_LABEL || !/^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text)) {
    throw new Error(`must be at most ${MAX_LABEL} characters that can be printed`)
  }
  return text
}

function namesIn(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
