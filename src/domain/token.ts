import type { EpochMs, Target } from './report.ts'

/** What a token may be used for: `write` posts reports, `read` reads, `admin` does both and removes targets. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** What is kept of a token. The token itself is shown once, to whoever made it. */
export interface Token {
  /** Public: names it in lists, in the log and to revoke it. */
  readonly id: string
  /** SHA-256 of the token, in hexadecimal digits. */
  readonly digest: string
  /** What people call it. */
  readonly label: string
  readonly scopes: readonly Scope[]
  /** Of which targets, as globs: the repository is like one of these … */
  readonly repos: readonly string[]
  /** … and the server like one of these. */
  readonly servers: readonly string[]
  readonly createdAt: EpochMs
  /** From then on it is nobody's. Null: never. */
  readonly expiresAt: EpochMs | null
  readonly revokedAt: EpochMs | null
  /** To within a minute. */
  readonly usedAt: EpochMs | null
}

export type TokenState = 'valid' | 'expired' | 'revoked'

export function stateOf({ revokedAt, expiresAt }: Token, now: EpochMs): TokenState {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'valid'
}

export function hasScope({ scopes }: Pick<Token, 'scopes'>, needed: Scope): boolean {
  return scopes.includes(needed) || scopes.includes('admin')
}

export function covers({ repos, servers }: Pick<Token, 'repos' | 'servers'>, { repo, server }: Target): boolean {
  return repos.some((glob) => isLike(repo, glob)) && servers.some((glob) => isLike(server, glob))
}

/** Whether it covers every target that there may ever be. */
export function coversAll({ repos, servers }: Pick<Token, 'repos' | 'servers'>): boolean {
  return repos.includes('*') && servers.includes('*')
}

/**
 * `*` stands for any characters, `?` for one; everything else for itself. In time that grows with the product of both
 * lengths at most, whatever they hold: a regular expression could take for ever.
 */
export function isLike(text: string, glob: string): boolean {
  let at = 0
  let inGlob = 0
  let star = -1
  let afterStar = 0
  while (at < text.length) {
    if (glob[inGlob] === '*') {
      star = inGlob++
      afterStar = at
    } else if (glob[inGlob] === '?' || glob[inGlob] === text[at]) {
      inGlob++
      at++
    } else if (star >= 0) {
      inGlob = star + 1
      at = ++afterStar // the star takes one character more
    } else {
      return false
    }
  }
  while (glob[inGlob] === '*') inGlob++
  return inGlob === glob.length
}

/** Something that somebody did about access, or with it. */
export interface AuditEntry {
  readonly at: EpochMs
  /** `token 1a2b3c4d (ci)`, `root on srv1`. */
  readonly actor: string
  readonly action: AuditAction
  /** What it was done to. */
  readonly subject: string
}

export type AuditAction = 'token.create' | 'token.revoke' | 'token.rotate' | 'target.remove'
