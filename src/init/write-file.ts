import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { linkedFolder } from './linked-folder.ts'
import type { ScaffoldFile } from './scaffold.ts'

/** Writes the file whole or not at all. @throws where a folder on the way is a link: it may lead out of the repository. */
export function writeFile(root: string, { path, content, executable }: ScaffoldFile): void {
  // Before a folder is made, too: it would be made behind the link.
  const linked = linkedFolder(root, path)
  if (linked !== null) throw new Error(`${linked} is a symbolic link`)
  const folder = join(root, dirname(path))
  mkdirSync(folder, { recursive: true })
  const beside = join(folder, `.gitops-status-${randomUUID()}`)
  try {
    writeFileSync(beside, content, { mode: executable ? 0o755 : 0o644, flag: 'wx' })
    renameSync(beside, join(root, path))
  } finally {
    rmSync(beside, { force: true })
  }
}
