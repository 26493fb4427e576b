import { randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ScaffoldFile } from './scaffold.ts'

/** Writes the file whole or not at all. @throws where a folder on the way is a link: it may lead out of the repository. */
export function writeFile(root: string, { path, content, executable }: ScaffoldFile): void {
  let folder = root
  for (const part of dirname(path).split('/')) {
    folder = join(folder, part)
    mkdirSync(folder, { recursive: true })
    if (lstatSync(folder).isSymbolicLink()) throw new Error(`${folder} is a symbolic link`)
  }
  const beside = join(folder, `.gitops-status-${randomUUID()}`)
  try {
    writeFileSync(beside, content, { mode: executable ? 0o755 : 0o644, flag: 'wx' })
    renameSync(beside, join(root, path))
  } finally {
    rmSync(beside, { force: true })
  }
}
