import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Keeps two checks of one repository from running at once on one machine: a check that takes longer than the cron's
 * period would otherwise pile up. Null when another run holds the lock.
 *
 * The lock is a Linux socket name that exists in no file system: the kernel gives it back when its owner ends, in
 * whatever way, so that nothing is ever left over and nobody has to judge whether an old lock still counts.
 */
export function takeRunLock(what: readonly string[]): Promise<{ release(): void } | null> {
  if (process.platform !== 'linux') return Promise.resolve({ release() {} })

  const id = createHash('sha256')
    .update(JSON.stringify([process.getuid?.(), ...what]))
    .digest('hex')
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(`\0gitops-status-${id.slice(0, 32)}`, () => {
      server.unref()
      resolve({ release: () => server.close() })
    })
  })
}
