import { parentPort, workerData } from 'node:worker_threads'
import { CannotStart } from '../domain/cannot-start.ts'
import { openSqliteDatabase, type ReportRow, type SqliteDatabase, type StateRow } from './sqlite-database.ts'
import { sqliteCode } from './sqlite-file.ts'

/** What the store asks of its worker, one at a time, and is answered in the same order. */
export type Question =
  | { readonly ask: 'append'; readonly rows: readonly ReportRow[] }
  | { readonly ask: 'checkWritable' }
  | { readonly ask: 'close' }

export type Answer =
  | { readonly duplicatesOf: readonly (number | null)[] }
  | { readonly done: true }
  /** SQLite could not do it now: its own words. */
  | { readonly unavailable: string }

/** The first message: either what the database holds, or why there is none. */
export type Opening = { readonly states: readonly StateRow[] } | { readonly cannotStart: string }

function answer(db: SqliteDatabase, question: Question): Answer {
  try {
    switch (question.ask) {
      case 'append':
        return { duplicatesOf: db.append(question.rows) }
      case 'checkWritable':
        db.checkWritable()
        return { done: true }
      case 'close':
        db.close()
        return { done: true }
    }
  } catch (error) {
    if (sqliteCode(error) === undefined || !(error instanceof Error)) throw error // a bug: the main thread hears of it
    return { unavailable: error.message }
  }
}

function open(): void {
  const port = parentPort
  if (port === null) throw new Error('sqlite-worker.ts runs only as a worker of sqlite-store.ts')
  try {
    const db = openSqliteDatabase(String(workerData))
    port.postMessage({ states: db.latest() } satisfies Opening)
    port.on('message', (question: Question) => {
      port.postMessage(answer(db, question))
      if (question.ask === 'close') port.close()
    })
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error
    port.postMessage({ cannotStart: error.message } satisfies Opening)
  }
}

open()
