import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CheckError, checkError } from './check-error.ts'
import type { Directories } from './full-checks.ts'

// The path of a socket ends after 107 bytes, and ssh appends the names of two to that of the directory.
const MAX_SOCKET_DIRECTORY_BYTES = 107 - '/c-'.length - 40 - '.1234567890abcdef'.length

/** Directories of this run alone, which are gone after it. */
export async function inPrivateDirectories<T>(use: (directories: Directories) => Promise<T>): Promise<T> {
  const made: string[] = []
  const make = (parent: string) => {
    const directory = mkdtempSync(join(parent, 'gitops-status-'))
    made.push(directory)
    return directory
  }
  try {
    const directory = make(tmpdir())
    const fits = Buffer.byteLength(directory) <= MAX_SOCKET_DIRECTORY_BYTES
    return await use({ directory, socketDirectory: fits ? directory : make('/tmp') })
  } finally {
    for (const directory of made) rmSync(directory, { recursive: true, force: true })
  }
}

/** @throws what is no trouble with files: that is a bug, and no finding. */
export function temporaryError(error: unknown): CheckError {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error
  return checkError(
    error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'disk_full' : 'temporary_unwritable',
    error.message,
  )
}
