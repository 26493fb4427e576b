import type { AuditEntry } from '../domain/token.ts'
import type { Session } from './postgres-connection.ts'
import { TOKEN_COLUMNS, type TokenRow, type TokenStore, tokenOf, tokenRowOf } from './token-store.ts'

/** The tables of access in a PostgreSQL schema. Each change is one statement, so that it needs no transaction. */
export function createPostgresTokens(
  use: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>,
): TokenStore {
  return {
    list: () =>
      use(async (session) =>
        (await session.rows<TokenRow>(`SELECT ${TOKEN_COLUMNS.join(', ')} FROM token ORDER BY created_at, number`)).map(
          tokenOf,
        ),
      ),

    put: (token, entry) =>
      use(async (session) => {
        const row = tokenRowOf(token)
        await session.rows(
          `WITH put AS (
             INSERT INTO token (${TOKEN_COLUMNS.join(', ')}) VALUES (${TOKEN_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})
             ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(token.revoked_at, excluded.revoked_at),
               expires_at = least(token.expires_at, excluded.expires_at) -- which is not the one that is null
           ) ${addAudit(TOKEN_COLUMNS.length)}`,
          [...TOKEN_COLUMNS.map((name) => row[name]), ...valuesOf(entry)],
        )
      }),

    noteUse: (uses) =>
      use(async (session) => {
        await session.rows(
          `UPDATE token SET used_at = use.at FROM json_to_recordset($1) AS use(id text, at bigint)
           WHERE token.id = use.id AND coalesce(token.used_at, 0) < use.at`,
          [JSON.stringify(uses)],
        )
      }),

    audit: (entry) =>
      use(async (session) => {
        await session.rows(addAudit(0), valuesOf(entry))
      }),

    auditLog: (limit) =>
      use((session) =>
        session.rows<AuditEntry>('SELECT at, actor, action, subject FROM audit ORDER BY id DESC LIMIT $1', [limit]),
      ),
  }
}

function addAudit(parametersBefore: number): string {
  const parameters = [1, 2, 3, 4].map((number) => `$${parametersBefore + number}`)
  return `INSERT INTO audit (at, actor, action, subject) VALUES (${parameters.join(', ')})`
}

function valuesOf({ at, actor, action, subject }: AuditEntry): unknown[] {
  return [at, actor, action, subject]
}
