import type { AuditEntry, Token } from '../domain/token.ts'

/** When a token was used. */
export interface TokenUse {
  readonly id: string
  readonly at: number
}

/** Remembers who may do what, and what was done about it. Each sentence here is a test of the same words in `token-store-contract.ts`. */
export interface TokenStore {
  /**
   * Every token in the order in which they were made, those that are over among them.
   * What another process did is among them.
   *
   * @throws Fault `store_unreadable`
   */
  list(): Promise<readonly Token[]>

  /**
   * Remembers a token, or what has become of the one with that id, together with its line of the audit log.
   * What was revoked stays so, and no end is put off: of two who change one token at once neither undoes the other.
   *
   * @throws Fault `store_unavailable`
   */
  put(token: Token, entry: AuditEntry): Promise<void>

  /**
   * Writes down when tokens were used. An earlier moment than the one that is known changes nothing.
   *
   * @throws Fault `store_unavailable`
   */
  noteUse(uses: readonly TokenUse[]): Promise<void>

  /**
   * Adds a line to the audit log.
   *
   * @throws Fault `store_unavailable`
   */
  audit(entry: AuditEntry): Promise<void>

  /**
   * The newest lines of the audit log, the newest first.
   *
   * @throws Fault `store_unreadable`
   */
  auditLog(limit: number): Promise<readonly AuditEntry[]>
}

/** A row as both databases keep it: what is a list, as JSON. */
export interface TokenRow {
  readonly id: string
  readonly digest: string
  readonly label: string
  readonly scopes: string
  readonly repos: string
  readonly servers: string
  readonly created_at: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly used_at: number | null
}

export const TOKEN_COLUMNS = [
  'id',
  'digest',
  'label',
  'scopes',
  'repos',
  'servers',
  'created_at',
  'expires_at',
  'revoked_at',
  'used_at',
] as const satisfies readonly (keyof TokenRow)[]

export function tokenRowOf(token: Token): TokenRow {
  return {
    id: token.id,
    digest: token.digest,
    label: token.label,
    scopes: JSON.stringify(token.scopes),
    repos: JSON.stringify(token.repos),
    servers: JSON.stringify(token.servers),
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt,
    used_at: token.usedAt,
  }
}

export function tokenOf(row: TokenRow): Token {
  return {
    id: row.id,
    digest: row.digest,
    label: row.label,
    scopes: JSON.parse(row.scopes),
    repos: JSON.parse(row.repos),
    servers: JSON.parse(row.servers),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    usedAt: row.used_at,
  }
}
