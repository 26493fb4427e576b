import { CannotStart } from '../domain/cannot-start.ts'
import { openBesideServer, sqliteCode } from './sqlite-file.ts'
import { createTokenTables } from './sqlite-tokens.ts'
import { type TokenStore, tokenOf, tokenRowOf } from './token-store.ts'

/**
 * The tokens of a file that a server may be using.
 *
 * @throws CannotStart
 */
export function openSqliteTokens(path: string): { tokens: TokenStore; close(): Promise<void> } {
  const { db, close } = openBesideServer(path)
  const tables = createTokenTables(db)

  function write(work: () => void): void {
    try {
      db.exec('BEGIN IMMEDIATE')
      work()
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      if (sqliteCode(error) === undefined || !(error instanceof Error)) throw error
      throw new CannotStart(`The database ${path} cannot be written now (${error.message})`, { cause: error })
    }
  }

  return {
    tokens: {
      list: async () => tables.list().map(tokenOf),
      put: async (token, entry) => write(() => tables.put(tokenRowOf(token), entry)),
      noteUse: async (uses) => write(() => tables.noteUse(uses)),
      audit: async (entry) => write(() => tables.audit(entry)),
      auditLog: async (limit) => tables.auditLog(limit),
    },
    close: async () => close(),
  }
}
