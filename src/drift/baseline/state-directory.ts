import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A file or directory that others could have written: what it says is not taken. The sentence is for a person. */
export class Untrusted extends Error {}

const KEY_BYTES = 32
// 5,000 paths and the names in a few full directories are a megabyte or two.
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** @throws Untrusted, or what the file system says. */
export function openStateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  if (found.isSymbolicLink()) throw new Untrusted(`${directory} is a link`)
  if (!found.isDirectory()) throw new Untrusted(`${directory} is not a directory`)
  refuseOthers(directory, found)
}

/** The content of a file that only this user can have written; null when there is none. */
export function readOwnFile(file: string): string | null {
  let descriptor: number
  try {
    // A pipe that nobody writes to would keep us waiting.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    if (isCode(error, 'ELOOP')) throw new Untrusted(`${file} is a link`)
    throw error
  }
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile()) throw new Untrusted(`${file} is not a file`)
    refuseOthers(file, found)
    if (found.size > MAX_FILE_BYTES) throw new Untrusted(`${file} is too large to be ours`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** Readers see the old content or the new one, also after the machine has lost its power. */
export function writeOwnFile(file: string, text: string): void {
  replaceFile(file, text, true)
  syncDirectory(dirname(file))
}

/** The same without waiting for the disk: after a loss of power the content may be anything, so it must be sealed. */
export function writeOwnFileSoon(file: string, text: string): void {
  replaceFile(file, text, false)
}

function replaceFile(file: string, text: string, isDurable: boolean): void {
  const temporary = writeTemporary(file, text, isDurable)
  try {
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** The key beside the baselines, made when there is none. Of several that make one at once, all get the same. */
export function ownKey(directory: string): Buffer {
  const file = join(directory, 'key')
  if (readOwnFile(file) === null) {
    const temporary = writeTemporary(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`, true)
    try {
      linkSync(temporary, file)
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    } finally {
      rmSync(temporary, { force: true })
    }
    syncDirectory(directory)
  }
  const text = readOwnFile(file)?.trim() ?? ''
  if ((lstatSync(file).mode & 0o077) !== 0) throw new Untrusted(`${file} can be read by others`)
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Untrusted(`${file} holds no key`)
  return Buffer.from(text, 'hex')
}

function refuseOthers(path: string, { uid, mode }: { readonly uid: number; readonly mode: number }): void {
  if (uid !== process.getuid?.()) throw new Untrusted(`${path} belongs to another user`)
  if ((mode & 0o022) !== 0) throw new Untrusted(`${path} can be written by others`)
}

function writeTemporary(file: string, text: string, isDurable: boolean): string {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const descriptor = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    writeFileSync(descriptor, text)
    if (isDurable) fsyncSync(descriptor)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  return temporary
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
