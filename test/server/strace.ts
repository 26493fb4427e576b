import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { RunningServer } from './start-server.ts'

export const hasStrace = spawnSync('strace', ['-V']).status === 0

export interface Attached {
  /** Lets the server go on as if nothing had been. */
  detach(): Promise<void>
}

/**
 * Watches a server's system calls from now on, or interferes with them: `inject=pwrite64:signal=SIGKILL:when=3` kills it
 * in the middle of the third write from here. A server that is started under strace takes many times as long to start.
 */
export async function attachStrace({ process }: RunningServer, options: readonly string[]): Promise<Attached> {
  const strace = spawn('strace', ['-f', '-o', '/dev/null', ...options, '-p', String(process.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(strace, 'exit')
  await new Promise<void>((resolve, reject) => {
    const said: string[] = []
    strace.on('exit', () => reject(new Error(`strace could not attach: ${said.join(' ')}`)))
    createInterface({ input: strace.stderr }).on('line', (line) => {
      said.push(line)
      if (/attached/.test(line)) resolve()
    })
  })
  return {
    async detach() {
      strace.kill('SIGTERM')
      await exited
    },
  }
}
