import { setTimeout as wait } from 'node:timers/promises'
import type { ServerProcess } from './server-process.ts'

const LOOK_MS = 250
const QUIET_SHARE = 0.08 // of a core: two ticks of the kernel's count in that time
const PATIENCE_MS = 60_000

/**
 * Resolves when the server has nothing left to do. The Pushgateway still works off its queue after its 202, or goes on
 * with answers that nobody waits for; whoever is measured next must not pay for that.
 */
export async function untilQuiet(server: ServerProcess): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (let isQuiet = false; !isQuiet; ) {
    const before = server.cpuMicros()
    await wait(LOOK_MS)
    isQuiet = server.cpuMicros() - before <= QUIET_SHARE * LOOK_MS * 1_000
    if (performance.now() > giveUpAt) throw new Error(`Process ${server.pid} is still busy, ${PATIENCE_MS} ms later`)
  }
}
