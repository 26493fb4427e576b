import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Command, CommandResult } from '../run-command.ts'

/** What Git says, as far as a baseline must know: whether it still says the same. */
export interface GitState {
  /** Of the repository that the directory is in; null: it is in none, or git does not say. */
  readonly commit: string | null
  /** Root of that repository, else the directory itself. */
  readonly root: string
  /** A digest of what is not committed, or of everything where there is no commit; null: that cannot be told, or is too much. */
  readonly changes: string | null
  readonly isClean: boolean
}

type Run = (file: string, args: readonly string[]) => Promise<CommandResult>

// A GitOps repository has some thousand files of a few kilobytes. More would take longer than the check it saves.
const MAX_FILES = 20_000
const MAX_BYTES = 256 * 1024 * 1024

/**
 * What Git ignores does not count: logs and databases lie there. Nor does what lies elsewhere, such as roles in the
 * home directory. Both are seen by the next full check.
 */
export async function readGitState({
  directory,
  except,
  run,
}: {
  readonly directory: Command['cwd']
  /** A directory of our own that may lie in it. */
  readonly except: string
  readonly run: Run
}): Promise<GitState> {
  const [head, top, status] = await Promise.all([
    answerOf(run('git', ['rev-parse', 'HEAD'])),
    answerOf(run('git', ['rev-parse', '--show-toplevel'])),
    answerOf(run('git', ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'])),
  ])
  const digest = digestFiles(except)
  try {
    if (head === null || top === null || status === null) {
      digest.add(directory, '')
      return { commit: null, root: realpathSync(directory), changes: digest.value(), isClean: false }
    }
    const root = realpathSync(top.trimEnd())
    for (const entry of status.split('\0').filter((text) => text !== '')) {
      const name = entry.slice(3)
      if (isWithin(except, join(root, name))) continue
      digest.note(entry)
      digest.add(join(root, name), name)
    }
    return { commit: head.trim(), root, changes: digest.value(), isClean: digest.isEmpty() }
  } catch (error) {
    // A directory that may not be entered, or went while we looked.
    if (!(error instanceof TooMuch || (error instanceof Error && 'syscall' in error))) throw error
    return { commit: null, root: realpathSync(directory), changes: null, isClean: false }
  }
}

class TooMuch extends Error {}

function digestFiles(except: string) {
  const hash = createHash('sha256')
  let files = 0
  let bytes = 0
  let noted = 0
  const note = (...words: string[]) => {
    noted += 1
    hash.update(`${JSON.stringify(words)}\n`)
  }
  const add = (path: string, name: string): void => {
    if (isWithin(except, path)) return
    files += 1
    const found = lstatSync(path, { throwIfNoEntry: false })
    bytes += found?.isFile() ? found.size : 0
    if (files > MAX_FILES || bytes > MAX_BYTES) throw new TooMuch()

    if (found === undefined) note(name, 'missing')
    else if (found.isSymbolicLink()) note(name, 'link', readlinkSync(path))
    else if (found.isFile()) note(name, String(found.mode & 0o111), sha256Of(path))
    else if (found.isDirectory()) {
      // Sorted: the order of a directory is another on another disk.
      for (const entry of readdirSync(path).sort()) if (entry !== '.git') add(join(path, entry), `${name}/${entry}`)
    }
  }
  return { note, add, value: () => hash.copy().digest('hex'), isEmpty: () => noted === 0 }
}

function isWithin(directory: string, path: string): boolean {
  return relative(directory, path).split('/')[0] !== '..'
}

function sha256Of(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch (error) {
    return `unreadable ${error instanceof Error ? error.name : ''}`
  }
}

async function answerOf(running: Promise<CommandResult>): Promise<string | null> {
  const { ending, stdout } = await running
  return ending.kind === 'exited' && ending.code === 0 ? stdout : null
}
