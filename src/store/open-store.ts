import { CannotStart } from '../domain/cannot-start.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

/**
 * Opens the store that a database URL names.
 *
 * @throws CannotStart
 */
export async function openStore(databaseUrl: string): Promise<Store> {
  const path = sqlitePath(databaseUrl)
  if (path === null) throw new CannotStart('Only sqlite:PATH is supported as a database URL')
  return openSqliteStore(path)
}

/** `sqlite:./a.db`, `sqlite:/a.db` and `sqlite:///a.db`. Null for what is not SQLite. */
export function sqlitePath(databaseUrl: string): string | null {
  return /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(databaseUrl)?.[1] ?? null
}
