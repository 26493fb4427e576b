import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CannotStart } from '../domain/cannot-start.ts'
import { APPLICATION_ID, MIGRATIONS } from './sqlite-schema.ts'

// https://www.sqlite.org/rescode.html
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

// Who makes a token writes for some milliseconds while a server is running.
const BESIDE_US_MS = 2_000

export interface DatabaseFile {
  readonly db: DatabaseSync
  close(): void
}

/**
 * Opens the database of this one process, creating it when there is none.
 *
 * A file that we do not trust is left exactly as it is, and never replaced by an empty one: whoever lost a database must
 * hear of it from us and not from an empty dashboard.
 *
 * @throws CannotStart
 */
export function openDatabaseFile(path: string): DatabaseFile {
  try {
    if (path === ':memory:') {
      const db = prepare(new DatabaseSync(path))
      return { db, close: () => db.close() }
    }
    const isThere = existsSync(path)
    if (isThere) refuseUnlessAccessible(path)
    else accessSync(dirname(path), constants.W_OK | constants.X_OK)

    const lock = takeLock(path)
    try {
      if (isThere) writeLogAgain(path)
      else create(path)
      const version = refuseUnlessSound(path)
      if (version < MIGRATIONS.length) copyBeforeMigration(path, version)
      const db = prepare(new DatabaseSync(path, { timeout: BESIDE_US_MS }))
      return {
        db,
        close() {
          db.close()
          lock.close()
        },
      }
    } catch (error) {
      lock.close()
      throw error
    }
  } catch (cause) {
    throw cause instanceof CannotStart ? cause : new CannotStart(explain(path, cause), { cause })
  }
}

/**
 * Opens a database that a server may be writing to: for what is one short transaction. Without a server it is opened as
 * a server would, and created when there is none.
 *
 * @throws CannotStart
 */
export function openBesideServer(path: string): DatabaseFile {
  try {
    return openDatabaseFile(path)
  } catch (error) {
    if (!(error instanceof CannotStart) || sqliteCode(error.cause) !== SQLITE_BUSY) throw error
  }
  const version = refuseUnlessSound(path)
  if (version < MIGRATIONS.length) {
    throw new CannotStart(
      `The server that runs on ${path} is an older one (schema ${version}, this one knows ${MIGRATIONS.length}): use its own version, or start the newer one first`,
    )
  }
  const db = new DatabaseSync(path, { timeout: BESIDE_US_MS })
  db.exec('PRAGMA synchronous = FULL')
  return { db, close: () => db.close() }
}

/** For looking things up while another connection of this process writes. */
export function openReadOnly(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true })
}

// A file of its own, so that others may read the database meanwhile: a backup, or someone who looks into it. The lock
// goes when the process does, however it ends.
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(lockOf(path))
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw error
  }
}

function lockOf(path: string): string {
  return `${path}-lock`
}

// After a failed fsync the end of the log may be in the system's memory only. Who opens it then reads it, trusts it and
// appends to it, and a power cut takes it away from under what was appended. So it is written once more, down to the
// disk, before anybody trusts it. See docs/decisions/011-after-a-failed-fsync.md.
function writeLogAgain(path: string): void {
  const log = `${path}-wal`
  if (!existsSync(log)) return
  const file = openSync(log, 'r+')
  try {
    const piece = Buffer.alloc(1024 * 1024)
    for (let at = 0; ; ) {
      const length = readSync(file, piece, 0, piece.length, at)
      if (length === 0) break
      at += writeSync(file, piece, 0, length, at)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

// Built beside and put in place whole: a crash in between leaves no empty file that looks like a lost database.
function create(path: string): void {
  const draft = `${path}.new-${process.pid}`
  try {
    prepare(new DatabaseSync(draft)).close()
    linkSync(draft, path)
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true })
  }
}

// Forward only: whoever wants to go back to the version before has this.
function copyBeforeMigration(path: string, version: number): void {
  const copy = `${path}.schema-${version}`
  if (!existsSync(copy)) backUp(path, copy)
}

/**
 * Writes everything that was stored by now into a new file, while the server goes on.
 *
 * @throws CannotStart
 */
export function backUp(path: string, copy: string): void {
  if (existsSync(copy)) throw new CannotStart(`The file ${copy} is there already: choose another name`)
  const draft = `${copy}.new-${process.pid}`
  try {
    refuseUnlessAccessible(path)
    const db = openReadOnly(path)
    try {
      db.prepare('VACUUM INTO ?').run(draft)
    } finally {
      db.close()
    }
    const file = openSync(draft, 'r')
    fsyncSync(file)
    closeSync(file)
    linkSync(draft, copy)
  } catch (cause) {
    throw cause instanceof CannotStart
      ? cause
      : new CannotStart(`The database ${path} cannot be copied to ${copy} (${reasonOf(cause)})`, { cause })
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuseUnlessAccessible(path: string): void {
  if (!statSync(path).isFile()) throw new CannotStart(`The database ${path} is not a file: give the path of a file`)
  accessSync(path, constants.R_OK | constants.W_OK)
  accessSync(dirname(path), constants.R_OK | constants.W_OK) // the write-ahead log stands beside the file
}

// Through a connection of its own that cannot write: closing a writing one would copy the log into a damaged file.
function refuseUnlessSound(path: string): number {
  if (statSync(path).size === 0) {
    throw new CannotStart(
      `The database ${path} is empty, as if its content had been lost: restore a backup, or delete the file to start anew`,
    )
  }
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const problems = db
      .prepare('PRAGMA quick_check(1)')
      .all()
      .map((row) => Object.values(row).join(' '))
    if (problems.join() !== 'ok') {
      throw new CannotStart(
        `The database ${path} is damaged (${firstLine(problems.join(' '))}): restore a backup; the file was left as it is`,
      )
    }
    if (pragma(db, 'application_id') !== APPLICATION_ID) {
      throw new CannotStart(`The database ${path} belongs to another program: choose another path`)
    }
    const version = pragma(db, 'user_version')
    if (version > MIGRATIONS.length) {
      throw new CannotStart(
        `The database ${path} was written by a newer gitops-status-server (schema ${version}, this one knows ${MIGRATIONS.length}): start that version or a newer one`,
      )
    }
    return version
  } finally {
    db.close()
  }
}

function prepare(db: DatabaseSync): DatabaseSync {
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL') // an fsync of the log in each commit
  db.exec('PRAGMA journal_size_limit = 67108864')
  migrate(db)
  return db
}

function migrate(db: DatabaseSync): void {
  for (const [version, migration] of MIGRATIONS.entries()) {
    if (version < pragma(db, 'user_version')) continue
    db.exec('BEGIN IMMEDIATE')
    migration(db)
    db.exec(`PRAGMA user_version = ${version + 1}; PRAGMA application_id = ${APPLICATION_ID}`)
    db.exec('COMMIT')
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}

function explain(path: string, cause: unknown): string {
  const user = process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`
  switch (errorCode(cause)) {
    case 'ENOENT':
      return `The directory of the database ${path} does not exist: create it (mkdir -p ${dirname(path)})`
    case 'EACCES':
    case 'EPERM':
      return `The database ${path} cannot be written by ${user}: give that user the file and its directory (chown), or start as their owner`
    case 'EROFS':
      return `The database ${path} lies on a read-only file system (${user}): mount it writable, or choose another path`
    case 'EIO':
      return `The database ${path} cannot be written, the disk fails (EIO): see to the disk, then start again or restore a backup`
    case 'ENOSPC':
      return `The database ${path} cannot be created, the disk is full: free some space`
  }
  const reason = reasonOf(cause)
  switch (sqliteCode(cause)) {
    case SQLITE_BUSY: {
      const holder = holderOf(lockOf(path))
      return `The database ${path} is in use by another process${holder ? ` (pid ${holder})` : ''}: stop that one, or choose another path`
    }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return `The database ${path} is damaged, or is no database (${reason}): restore a backup, or choose another path; the file was left as it is`
  }
  return `The database ${path} cannot be opened by ${user} (${reason}): see to that, or choose another path`
}

/** Who holds SQLite's lock on the file, where the system can say (Linux). */
function holderOf(path: string): string | undefined {
  try {
    const { ino } = statSync(path)
    const lock = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.split(/\s+/))
      .find((fields) => fields[5]?.endsWith(`:${ino}`))
    return lock?.[4]
  } catch {
    return undefined // the message does without
  }
}

/** SQLite's primary result code; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode) & 0xff
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? firstLine(cause.message) : String(cause)
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1)
  return line.slice(0, 200).replace(/[^\x20-\x7e]/g, '?') // it may quote what is broken in the file
}
