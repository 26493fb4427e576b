import { randomUUID } from 'node:crypto'
import { constants, copyFileSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { linkedFolder } from './linked-folder.ts'
import type { ScaffoldFile } from './scaffold.ts'

/**
 * Writes the file whole or not at all.
 * @throws where a folder on the way is a link, which may lead out of the repository, and where there is a file already
 *   that nobody has agreed to replace.
 */
export function writeFile(
  root: string,
  { path, content, executable }: ScaffoldFile,
  { replace }: { readonly replace: boolean },
): void {
  // Before a folder is made, too: it would be made behind the link.
  const linked = linkedFolder(root, path)
  if (linked !== null) throw new Error(`${linked} is a symbolic link`)
  const folder = join(root, dirname(path))
  mkdirSync(folder, { recursive: true })
  const beside = join(folder, `.gitops-status-${randomUUID()}`)
  try {
    writeFileSync(beside, content, { mode: executable ? 0o755 : 0o644, flag: 'wx' })
    if (replace) renameSync(beside, join(root, path))
    else create(beside, join(root, path))
  } finally {
    rmSync(beside, { force: true })
  }
}

/** A rename would replace in silence what appeared since we looked. */
function create(beside: string, path: string): void {
  try {
    linkSync(beside, path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error
    // Some file systems know no hard links (FAT, some shared folders).
    copyFileSync(beside, path, constants.COPYFILE_EXCL)
  }
}
