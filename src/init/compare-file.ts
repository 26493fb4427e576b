import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unifiedDifference } from '../unified-difference.ts'
import { linkedFolder } from './linked-folder.ts'
import type { ScaffoldFile } from './scaffold.ts'

export type Comparison =
  | { readonly state: 'missing' | 'same' | 'kept' }
  /** `difference` is a unified diff from what is there to what would be written. */
  | { readonly state: 'different' | 'not executable'; readonly difference: string }
  /** Something is there that is no plain file, or cannot be read: it is never written to. */
  | { readonly state: 'in the way'; readonly reason: string }

export function compareFile(root: string, file: ScaffoldFile): Comparison {
  const here = lookAt(root, file.path)
  if (here === null) return { state: 'missing' }
  if ('reason' in here) return { state: 'in the way', reason: here.reason }
  if (file.onlyIfMissing) return { state: 'kept' }
  if (here.text !== file.content)
    return { state: 'different', difference: unifiedDifference(file.path, here.text, file.content) }
  if (file.executable && !here.executable) return { state: 'not executable', difference: 'old mode 644, new mode 755' }
  return { state: 'same' }
}

function lookAt(root: string, file: string): { text: string; executable: boolean } | { reason: string } | null {
  const path = join(root, file)
  try {
    // Before anything is read: what is behind it would be shown.
    const linked = linkedFolder(root, file)
    if (linked !== null) return { reason: `${linked} is a symbolic link` }
    // A link may point out of the repository, and what it points to is not ours to replace.
    const stat = lstatSync(path)
    if (!stat.isFile()) return { reason: stat.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a file' }
    return { text: readFileSync(path, 'utf8'), executable: (stat.mode & 0o100) !== 0 }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}
