import { CannotStart } from '../domain/cannot-start.ts'
import type { StoreLog } from './postgres-connection.ts'
import { openPostgresStore, openPostgresTokens } from './postgres-store.ts'
import { backUp } from './sqlite-file.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { openSqliteTokens } from './sqlite-token-store.ts'
import type { Store } from './store.ts'
import type { TokenStore } from './token-store.ts'

/**
 * Opens the store that a database URL names.
 *
 * @param now The time as the server tells it.
 * @throws CannotStart
 */
export async function openStore(databaseUrl: string, log: StoreLog, now: () => Date): Promise<Store> {
  if (isPostgres(databaseUrl)) return openPostgresStore(databaseUrl, log, now)
  const path = sqlitePath(databaseUrl)
  if (path === null) throw new CannotStart('Only sqlite:PATH and postgres://… are supported as a database URL')
  return openSqliteStore(path)
}

/**
 * Opens what a store knows of tokens, for somebody at the command line: also while a server uses it.
 *
 * @param mayCreate Where there is no SQLite file yet one is made. Otherwise a wrong path would look like no tokens.
 * @throws CannotStart
 */
export async function openTokenStore(
  databaseUrl: string,
  mayCreate: boolean,
): Promise<{ tokens: TokenStore; close(): Promise<void> }> {
  if (isPostgres(databaseUrl)) return openPostgresTokens(databaseUrl)
  const path = sqlitePath(databaseUrl)
  if (path === null || path === ':memory:') {
    throw new CannotStart('Tokens are kept in sqlite:PATH or postgres://…: give the database URL of the server')
  }
  return openSqliteTokens(path, mayCreate)
}

/**
 * Copies what was stored by now, while a server goes on.
 *
 * @throws CannotStart
 */
export function backUpStore(databaseUrl: string, copy: string): void {
  const path = sqlitePath(databaseUrl)
  if (path === null)
    throw new CannotStart('Only an SQLite database is copied like this: for PostgreSQL there is pg_dump')
  backUp(path, copy)
}

/** `sqlite:./a.db`, `sqlite:/a.db` and `sqlite:///a.db`. Null for what is not SQLite. */
export function sqlitePath(databaseUrl: string): string | null {
  return /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(databaseUrl)?.[1] ?? null
}

/** `postgres://user@host/database` and `postgresql://…`. */
export function isPostgres(databaseUrl: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(databaseUrl) && URL.canParse(databaseUrl)
}
