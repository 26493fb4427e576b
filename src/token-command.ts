import { hostname, userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { parseExpiry, parseGlobs, parseLabel, parseScopes } from './access/grant.ts'
import { type Grant, makeToken } from './access/new-token.ts'
import { digestOfSecret } from './access/secret.ts'
import { SETTINGS } from './config.ts'
import { type AuditAction, type AuditEntry, stateOf, type Token } from './domain/token.ts'
import type { TokenStore } from './store/token-store.ts'
import { WrongSettings } from './wrong-settings.ts'

export interface Surroundings {
  /** `mayCreate`: where there is no database yet, one is made. */
  readonly openTokens: (
    databaseUrl: string,
    mayCreate: boolean,
  ) => Promise<{ tokens: TokenStore; close(): Promise<void> }>
  /** Where the settings of the server say that it keeps its reports. */
  readonly databaseUrl: (flags: readonly string[]) => string
  readonly now: () => Date
  /** Results, for programs as well. */
  readonly out: (line: string) => void
  /** What people should know besides. */
  readonly say: (line: string) => void
}

const OPTIONS = {
  label: { type: 'string', default: '' },
  scope: { type: 'string', default: 'write' },
  repo: { type: 'string', default: '*' },
  server: { type: 'string', default: '*' },
  expires: { type: 'string', default: '1y' },
  overlap: { type: 'string', default: '1h' },
  'as-config': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'database-url': { type: 'string' },
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const TOKEN_HELP = `gitops-status-server token: who may report, read and remove

  token create [--scope write] [--repo '*'] [--server '*'] [--expires 1y] [--label TEXT] [--as-config]
      Makes a token and prints it, once. --scope is write (reports), read, admin (both, and removing targets), or several
      with commas. --repo and --server are names, or patterns with * and ?, or several with commas. --expires is never,
      12h, 30d, 8w, 1y or a day. --as-config stores nothing and prints an entry for --tokens-file as well.
  token list [--json]
  token revoke ID
      By its id, its label, or the token itself.
  token rotate ID [--overlap 1h]
      Makes another one for the same, and lets the old one run out.

Where tokens are kept: --database-url URL, --config FILE, or what the environment says, as for the server.
A running server knows of a change within two seconds.
`

/**
 * `gitops-status-server token …`
 *
 * @throws WrongSettings, CannotStart, Fault
 */
export async function runTokenCommand(argv: readonly string[], surroundings: Surroundings): Promise<void> {
  const { openTokens, databaseUrl, now, out, say } = surroundings
  const { values, positionals } = parsed(argv)
  const [action = '', id = '', ...rest] = positionals
  if (values.help) return out(TOKEN_HELP)
  const tooMuch = action === 'create' || action === 'list' ? positionals.slice(1) : rest
  if (tooMuch.length > 0) throw new WrongSettings([`${tooMuch.join(' ')}: is too much`])

  async function withTokens(work: (tokens: TokenStore, where: string) => Promise<void>): Promise<void> {
    const flags = (['database-url', 'config'] as const).flatMap((flag) => {
      const value = values[flag]
      return value === undefined ? [] : [`--${flag}`, value]
    })
    const url = databaseUrl(flags)
    const { tokens, close } = await openTokens(url, action === 'create')
    try {
      await work(tokens, shownUrl(url))
    } finally {
      await close()
    }
  }

  switch (action) {
    case 'create': {
      const grant = grantOf(values, now())
      const { secret, token } = makeToken(grant, now())
      if (values['as-config']) {
        out(secret)
        return out(JSON.stringify(entryOf(token)))
      }
      return withTokens(async (tokens, where) => {
        await tokens.put(token, entry('token.create', `${described(token)}`))
        out(secret)
        say(`Token ${described(token)}. It is shown this once. It counts for servers on ${where}.`)
      })
    }
    case 'list':
      return withTokens(async (tokens, where) => {
        const all = await tokens.list()
        if (values.json) return out(JSON.stringify(all.map((token) => listed(token, now()))))
        if (all.length === 0)
          say(`There are no tokens in ${where}: a server on it is open unless its settings close it.`)
        else for (const line of table(all, now())) out(line)
      })
    case 'revoke':
      return withTokens(async (tokens) => {
        const token = await find(tokens, id)
        if (token.revokedAt !== null) return say(`The token ${token.id} was revoked before.`)
        await tokens.put({ ...token, revokedAt: now().getTime() }, entry('token.revoke', described(token)))
        say(`The token ${described(token)} is revoked. Servers know it within two seconds.`)
      })
    case 'rotate':
      return withTokens(async (tokens) => {
        const old = await find(tokens, id)
        if (stateOf(old, now().getTime()) !== 'valid') {
          throw new WrongSettings([`the token ${old.id} is ${stateOf(old, now().getTime())}: make a new one`])
        }
        const overAt = Math.min(endOfOverlap(values.overlap, now()), old.expiresAt ?? Number.POSITIVE_INFINITY)
        const lifeMs = old.expiresAt === null ? null : old.expiresAt - old.createdAt
        const expiresAt = lifeMs === null ? null : now().getTime() + lifeMs
        const { label, scopes, repos, servers } = old
        const { secret, token } = makeToken({ label, scopes, repos, servers, expiresAt }, now())
        await tokens.put(token, entry('token.rotate', `${described(token)}, instead of ${old.id}`))
        out(secret) // it is good from now on, whatever becomes of the old one
        await tokens.put({ ...old, expiresAt: overAt }, entry('token.rotate', `${old.id} ends at ${text(overAt)}`))
        say(`Token ${described(token)}. It is shown this once. The token ${old.id} works until ${text(overAt)}.`)
      })
    default:
      throw new WrongSettings([`token ${action}: must be token create, list, revoke or rotate`])
  }

  function entry(done: AuditAction, subject: string): AuditEntry {
    return { at: now().getTime(), actor: `${userInfo().username} on ${hostname()}`, action: done, subject }
  }
}

function shownUrl(databaseUrl: string): string {
  return SETTINGS.databaseUrl.mask?.(databaseUrl) ?? databaseUrl
}

type Values = ReturnType<typeof parsed>['values']

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new WrongSettings([error instanceof Error ? error.message : String(error)])
  }
}

function grantOf(values: Values, now: Date): Grant {
  const problems: string[] = []
  function read<Value>(flag: string, text: string, parse: (text: string) => Value, otherwise: Value): Value {
    try {
      return parse(text)
    } catch (error) {
      problems.push(`--${flag}: ${error instanceof Error ? error.message : String(error)}; got ${JSON.stringify(text)}`)
      return otherwise
    }
  }
  const grant = {
    label: read('label', values.label, parseLabel, ''),
    scopes: read('scope', values.scope, parseScopes, []),
    repos: read('repo', values.repo, parseGlobs, []),
    servers: read('server', values.server, parseGlobs, []),
    expiresAt: read('expires', values.expires, (given) => parseExpiry(given, now), null),
  }
  if (problems.length > 0) throw new WrongSettings(problems)
  return grant
}

function endOfOverlap(given: string, now: Date): number {
  if (given === '0') return now.getTime()
  try {
    const end = parseExpiry(given, now)
    if (end !== null) return end
    throw new Error('an overlap ends')
  } catch {
    throw new WrongSettings([`--overlap: must be 0 or a time such as 1h, 2d; got ${JSON.stringify(given)}`])
  }
}

/** By its id, or by a label that only one has that can be used. */
async function find(tokens: TokenStore, id: string): Promise<Token> {
  const all = await tokens.list()
  // Whoever has a token that leaked has the token, and not its id.
  const digest = digestOfSecret(id)
  const named = all.filter((token) => token.id === id || token.digest === digest)
  const labelled = all.filter((token) => id !== '' && token.label === id && token.revokedAt === null)
  const found = named.length > 0 ? named : labelled
  const [token] = found
  if (token !== undefined && found.length === 1) return token
  const problem =
    found.length > 1 ? 'several tokens have that label: give the id' : 'there is no such token: see token list'
  const shown = id.startsWith('gss_') ? 'that token' : id
  throw new WrongSettings([`${id === '' ? 'the id is missing' : shown}: ${problem}`])
}

function described({ id, label, scopes, repos, servers, expiresAt }: Token): string {
  const name = label === '' ? id : `${id} (${label})`
  return `${name}: ${scopes.join(' and ')}, ${repos.join(', ')} on ${servers.join(', ')}, until ${text(expiresAt)}`
}

function entryOf({ digest, label, scopes, repos, servers, expiresAt }: Token) {
  return {
    sha256: digest,
    label,
    scope: scopes.join(','),
    repo: repos.join(','),
    server: servers.join(','),
    expires: text(expiresAt),
  }
}

function listed(token: Token, now: Date) {
  const { digest: _, ...shown } = token
  return { ...shown, state: stateOf(token, now.getTime()) }
}

function table(tokens: readonly Token[], now: Date): string[] {
  const rows = [
    ['ID', 'LABEL', 'SCOPE', 'REPO', 'SERVER', 'STATE', 'EXPIRES', 'LAST USED'],
    ...tokens.map((token) => [
      token.id,
      token.label,
      token.scopes.join(','),
      token.repos.join(','),
      token.servers.join(','),
      stateOf(token, now.getTime()),
      text(token.expiresAt),
      text(token.usedAt),
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function text(at: number | null): string {
  if (at === null || at === Number.POSITIVE_INFINITY) return 'never'
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
