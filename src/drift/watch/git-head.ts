import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * Something that is another when another commit is checked out: read from files, so that it can be asked every few
 * seconds. Null where there is no Git, or it keeps its references in another way.
 */
export function readHead(directory: string): string | null {
  try {
    const git = gitDirectoryOf(directory)
    if (git === null) return null
    const head = readFileSync(join(git, 'HEAD'), 'utf8').trim()
    const reference = /^ref: (refs\/.+)$/.exec(head)?.[1]
    if (reference === undefined) return head
    // A worktree has a HEAD of its own, and shares the branches.
    const common = join(git, 'commondir')
    const shared = existsSync(common) ? resolve(git, readFileSync(common, 'utf8').trim()) : git
    const loose = join(shared, reference)
    if (existsSync(loose)) return `${head} ${readFileSync(loose, 'utf8').trim()}`
    const packed = statSync(join(shared, 'packed-refs'))
    return `${head} ${packed.mtimeMs} ${packed.ino}`
  } catch (error) {
    // Git is at work there: the next time will tell.
    if (error instanceof Error && 'syscall' in error) return null
    throw error
  }
}

function gitDirectoryOf(directory: string): string | null {
  const found = join(directory, '.git')
  const kind = statSync(found, { throwIfNoEntry: false })
  if (kind?.isDirectory()) return found
  if (kind?.isFile()) {
    const target = /^gitdir: (.+)$/m.exec(readFileSync(found, 'utf8'))?.[1]
    return target === undefined ? null : resolve(directory, target)
  }
  const above = dirname(directory)
  return above === directory ? null : gitDirectoryOf(above)
}
