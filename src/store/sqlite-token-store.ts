import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CannotStart } from '../domain/cannot-start.ts'
import { openBesideServer, sqliteCode } from './sqlite-file.ts'
import { createTokenTables } from './sqlite-tokens.ts'
import { type TokenStore, tokenOf, tokenRowOf } from './token-store.ts'

/**
 * The tokens of a file that a server may be using.
 *
 * @throws CannotStart
 */
export function openSqliteTokens(path: string, mayCreate: boolean): { tokens: TokenStore; close(): Promise<void> } {
  if (!mayCreate && !existsSync(path)) {
    throw new CannotStart(`There is no database ${path}: give the one of the server with --database-url`)
  }
  refuseRootElsewhere(path)
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

// In a directory of somebody else root would write through links that they have put there, and leave files that the
// server cannot write.
function refuseRootElsewhere(path: string): void {
  if (process.getuid?.() !== 0) return
  const owner = [dirname(path), path].filter((one) => existsSync(one)).map((one) => statSync(one).uid)
  const uid = owner.find((one) => one !== 0)
  if (uid === undefined) return
  throw new CannotStart(
    `The database ${path} belongs to uid ${uid}: do this as that user, such as with setpriv --reuid ${uid} --clear-groups, or use --tokens-file`,
  )
}
