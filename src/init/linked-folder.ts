import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The first folder on the way from the root to the file that is a link: it may lead out of the repository. */
export function linkedFolder(root: string, path: string): string | null {
  let folder = ''
  for (const part of dirname(path).split('/')) {
    folder = join(folder, part)
    const stat = lstatSync(join(root, folder), { throwIfNoEntry: false })
    if (stat === undefined) return null
    // The root is where we were told to work, by whatever way.
    if (folder !== '.' && stat.isSymbolicLink()) return folder
  }
  return null
}
