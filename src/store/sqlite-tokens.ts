import type { DatabaseSync } from 'node:sqlite'
import type { AuditEntry } from '../domain/token.ts'
import { TOKEN_COLUMNS, type TokenRow, type TokenUse } from './token-store.ts'

/** The tables of access in an SQLite file, in SQL. Whoever writes does it in a transaction of the caller's. */
export interface TokenTables {
  list(): TokenRow[]
  put(row: TokenRow, entry: AuditEntry): void
  noteUse(uses: readonly TokenUse[]): void
  audit(entry: AuditEntry): void
  auditLog(limit: number): AuditEntry[]
}

// Larger than any time.
const NEVER = Number.MAX_SAFE_INTEGER

/** Prepared when they are asked: a server asks once a second, and seldom writes. */
export function createTokenTables(db: DatabaseSync): TokenTables {
  function audit({ at, actor, action, subject }: AuditEntry): void {
    db.prepare('INSERT INTO audit (at, actor, action, subject) VALUES (?, ?, ?, ?)').run(at, actor, action, subject)
  }

  return {
    list: () => db.prepare('SELECT * FROM token ORDER BY created_at, rowid').all() as unknown as TokenRow[],

    put(row, entry) {
      db.prepare(
        `INSERT INTO token (${TOKEN_COLUMNS.join(', ')}) VALUES (${TOKEN_COLUMNS.map(() => '?').join(', ')})
         ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(revoked_at, excluded.revoked_at),
           expires_at = nullif(min(coalesce(expires_at, ${NEVER}), coalesce(excluded.expires_at, ${NEVER})), ${NEVER})`,
      ).run(...TOKEN_COLUMNS.map((name) => row[name]))
      audit(entry)
    },

    noteUse(uses) {
      const note = db.prepare('UPDATE token SET used_at = ? WHERE id = ? AND coalesce(used_at, 0) < ?')
      for (const { id, at } of uses) note.run(at, id, at)
    },

    audit,

    auditLog: (limit) =>
      db
        .prepare('SELECT at, actor, action, subject FROM audit ORDER BY id DESC LIMIT ?')
        .all(limit)
        .map((row) => ({ ...row }) as unknown as AuditEntry),
  }
}
