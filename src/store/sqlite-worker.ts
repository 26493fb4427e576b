import { parentPort, workerData } from 'node:worker_threads'
import { CannotStart } from '../domain/cannot-start.ts'
import type { Epoch } from '../domain/epoch.ts'
import type { Target } from '../domain/report.ts'
import type { AuditEntry } from '../domain/token.ts'
import type { RangeQuery } from './history.ts'
import type { EpisodeRow, PackedWrites, PeriodRow, Placed } from './rows.ts'
import { openDatabaseFile, openReadOnly, sqliteCode } from './sqlite-file.ts'
import { type AccountRows, createReader, type PeriodRows, type Reader, type StatesPage } from './sqlite-reader.ts'
import { createTokenTables, type TokenTables } from './sqlite-tokens.ts'
import { createWriter, type LateQuestion, type Writer } from './sqlite-writer.ts'
import type { TokenRow, TokenUse } from './token-store.ts'

// Two threads run this file for one store: one that writes, so that the event loop never waits for the disk, and one
// that looks things up, so that no commit waits for a question about last month.

export interface WorkerData {
  readonly path: string
  readonly role: 'writes' | 'looks up'
}

/** What the store asks of the writing thread, one at a time, and is answered in the same order. */
export type WriteQuestion =
  | { readonly ask: 'write'; readonly writes: PackedWrites; readonly begins: Epoch | null }
  | { readonly ask: 'lateArrivals'; readonly questions: readonly LateQuestion[] }
  | {
      readonly ask: 'remove'
      readonly target: Target & { id: number; seq: number; at: number }
      readonly begins: Epoch | null
    }
  | { readonly ask: 'touch'; readonly at: number }
  | { readonly ask: 'prune'; readonly before: number; readonly limit: number }
  | { readonly ask: 'watchContents'; readonly isOn: boolean }
  | { readonly ask: 'pruneContents'; readonly digests: readonly string[] }
  | { readonly ask: 'putToken'; readonly row: TokenRow; readonly entry: AuditEntry }
  | { readonly ask: 'noteUse'; readonly uses: readonly TokenUse[] }
  | { readonly ask: 'audit'; readonly entry: AuditEntry }

/** What it asks of the other one. */
export type LookUp =
  | { readonly ask: 'statesAt'; readonly at: number; readonly page: StatesPage }
  | { readonly ask: 'unusedContents'; readonly limit: number }
  | { readonly ask: 'periods'; readonly query: RangeQuery }
  | { readonly ask: 'episodes'; readonly query: RangeQuery }
  | { readonly ask: 'tokens' }
  | { readonly ask: 'auditLog'; readonly limit: number }

export type Question = WriteQuestion | LookUp | { readonly ask: 'close' }

export type Answer =
  | { readonly value: unknown }
  /** SQLite could not do it now: its own words. */
  | { readonly unavailable: string }

/** What each question is answered with. */
export interface Values {
  readonly write: null
  readonly lateArrivals: readonly (number | null)[]
  readonly remove: null
  readonly touch: null
  readonly prune: number
  readonly watchContents: null
  readonly pruneContents: number
  readonly putToken: null
  readonly noteUse: null
  readonly audit: null
  readonly tokens: readonly TokenRow[]
  readonly auditLog: readonly AuditEntry[]
  readonly unusedContents: readonly string[]
  readonly statesAt: PeriodRows
  readonly periods: PeriodRows<PeriodRow & Placed>
  readonly episodes: readonly (EpisodeRow & Placed)[]
  readonly close: null
}

export interface Ready {
  readonly newestRemoval: number
  readonly aliveAt: number | null
  readonly epochs: readonly Epoch[]
}

/** The first messages: what the database holds, page by page, and that this is all; or why there is none. */
export type Opening = { readonly page: AccountRows } | { readonly ready: Ready } | { readonly cannotStart: string }

const ACCOUNTS_IN_A_PAGE = 5_000

interface Open {
  readonly writer: Writer | null
  readonly reader: Reader
  readonly tokens: TokenTables
  inTransaction<Result>(work: () => Result): Result
  close(): void
}

function openFile({ path, role }: WorkerData): Open {
  if (role === 'looks up') {
    const db = openReadOnly(path)
    return {
      writer: null,
      reader: createReader(db),
      tokens: createTokenTables(db),
      inTransaction: (work) => work(),
      close: () => db.close(),
    }
  }
  const { db, close } = openDatabaseFile(path)
  return {
    writer: createWriter(db),
    reader: createReader(db),
    tokens: createTokenTables(db),
    inTransaction(work) {
      db.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        db.exec('COMMIT')
        return result
      } catch (error) {
        // After a full disk or a failed fsync SQLite has rolled back by itself, after other errors it has not. The
        // connection is kept: it writes the same pages of its log again next time, whereas one that is opened anew would
        // trust pages that never reached the disk.
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
    close,
  }
}

function valueFor({ writer, reader, tokens, inTransaction, close }: Open, question: Question): Values[keyof Values] {
  switch (question.ask) {
    case 'statesAt':
      return reader.statesAt(question.at, question.page)
    case 'unusedContents':
      return reader.unusedContents(question.limit)
    case 'periods':
      return reader.periods(question.query)
    case 'episodes':
      return reader.episodes(question.query)
    case 'tokens':
      return tokens.list()
    case 'auditLog':
      return tokens.auditLog(question.limit)
    case 'close':
      close()
      return null
  }
  if (writer === null) throw new Error('This thread only looks things up')
  switch (question.ask) {
    case 'lateArrivals':
      return writer.lateArrivalsOf(question.questions)
    case 'write':
      inTransaction(() => {
        if (question.begins !== null) writer.begin(question.begins)
        writer.write(question.writes)
      })
      return null
    case 'remove':
      inTransaction(() => {
        if (question.begins !== null) writer.begin(question.begins)
        writer.remove(question.target)
      })
      return null
    case 'touch':
      inTransaction(() => writer.touch(question.at))
      return null
    case 'prune':
      return inTransaction(() => writer.prune(question.before, question.limit))
    case 'watchContents':
      writer.watchContents(question.isOn)
      return null
    case 'pruneContents':
      return inTransaction(() => writer.pruneContents(question.digests))
    case 'putToken':
      inTransaction(() => tokens.put(question.row, question.entry))
      return null
    case 'noteUse':
      inTransaction(() => tokens.noteUse(question.uses))
      return null
    case 'audit':
      inTransaction(() => tokens.audit(question.entry))
      return null
  }
}

function answer(open: Open, question: Question): Answer {
  try {
    return { value: valueFor(open, question) }
  } catch (error) {
    if (sqliteCode(error) === undefined || !(error instanceof Error)) throw error // a bug: the main thread hears of it
    return { unavailable: error.message }
  }
}

function run(data: WorkerData): void {
  const port = parentPort
  if (port === null) throw new Error('sqlite-worker.ts runs only as a worker of sqlite-store.ts')
  try {
    const open = openFile(data)
    if (open.writer !== null) {
      for (const page of open.reader.accounts(ACCOUNTS_IN_A_PAGE)) port.postMessage({ page } satisfies Opening)
    }
    const { reader } = open
    const ready = { newestRemoval: reader.newestRemoval(), aliveAt: reader.aliveAt(), epochs: reader.epochs() }
    port.postMessage({ ready } satisfies Opening)
    port.on('message', (question: Question) => {
      port.postMessage(answer(open, question))
      if (question.ask === 'close') port.close()
    })
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error
    port.postMessage({ cannotStart: error.message } satisfies Opening)
  }
}

run(workerData)
