import type { Token } from '../domain/token.ts'
import { parseFixedExpiry, parseGlobs, parseLabel, parseScopes } from './grant.ts'

/**
 * Reads tokens that are kept with the rest of a configuration, as digests: a list of
 * `{"sha256": "…", "label": "ci", "scope": "write", "repo": "rsyslog", "server": "rsyslog-*", "expires": "2030-01-31"}`.
 *
 * @throws Error that names every field that is wrong
 */
export function parseTokenFile(text: string): readonly Token[] {
  const entries = parsed(text)
  if (!Array.isArray(entries)) throw new Error('must be a list of tokens')
  const problems: string[] = []
  const tokens = entries.map((entry, index) => tokenOf(entry, (problem) => problems.push(`[${index}]${problem}`)))
  const digests = tokens.map(({ digest }) => digest)
  const twice = digests.findIndex((digest, index) => digest !== '' && digests.indexOf(digest) !== index)
  if (twice !== -1) problems.push(`[${twice}].sha256: is there twice`)
  if (problems.length > 0) throw new Error(problems.join('; '))
  return tokens
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('is not JSON') // its own words quote what stands there, and that may be a token
  }
}

const DIGEST = /^[0-9a-f]{64}$/

const FIELDS = ['sha256', 'label', 'scope', 'repo', 'server', 'expires']

function tokenOf(entry: unknown, report: (problem: string) => void): Token {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    report(': must be an object')
    return NOTHING
  }
  const fields = new Map<string, unknown>(Object.entries(entry))
  for (const name of fields.keys()) {
    if (!FIELDS.includes(name)) report(`.${name.slice(0, 40)}: is not a field of a token`)
  }

  function read<Value>(name: string, missing: string | null, parse: (text: string) => Value, otherwise: Value): Value {
    const text = fields.get(name) ?? missing
    try {
      if (typeof text !== 'string') throw new Error(text === null ? 'is missing' : 'must be a text')
      return parse(text)
    } catch (error) {
      report(`.${name}: ${error instanceof Error ? error.message : String(error)}`)
      return otherwise
    }
  }

  const digest = read('sha256', null, digestIn, '')
  return {
    ...NOTHING,
    id: digest.slice(0, 8),
    digest,
    label: read('label', '', parseLabel, ''),
    scopes: read('scope', null, parseScopes, []),
    repos: read('repo', '*', parseGlobs, []),
    servers: read('server', '*', parseGlobs, []),
    expiresAt: read('expires', 'never', parseFixedExpiry, null),
  }
}

function digestIn(text: string): string {
  if (!DIGEST.test(text)) throw new Error('must be the 64 hexadecimal digits of the SHA-256 of a token')
  return text
}

const NOTHING: Token = {
  id: '',
  digest: '',
  label: '',
  scopes: [],
  repos: [],
  servers: [],
  createdAt: 0,
  expiresAt: null,
  revokedAt: null,
  usedAt: null,
}
