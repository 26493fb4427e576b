import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for this user only, which disappears with this process, however that ends. */
export interface PrivateDirectory {
  readonly path: string
  remove(): Promise<void>
}

/** `path` must not exist yet; without one, a new directory below the system's temporary one. */
export function makePrivateDirectory(path?: string): PrivateDirectory {
  const made = path ?? mkdtempSync(join(tmpdir(), 'gitops-status-'))
  if (path !== undefined) mkdirSync(path, { mode: 0o700 })
  // The shell waits for a pipe that only we hold open. The kernel closes it when we end,
  // even by SIGKILL; a session of its own keeps Ctrl-C from ending the shell first.
  const remover = spawn('/bin/sh', ['-c', 'cat >/dev/null; rm -rf -- "$1"', 'sh', made], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const removed = once(remover, 'exit')
  remover.unref()
  return {
    path: made,
    async remove() {
      remover.ref()
      remover.stdin.end()
      await removed
    },
  }
}

/** Whether nobody but this user could have put anything below `path`. */
export function isOwnPrivateDirectory(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return Boolean(found?.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0)
}
