import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Log } from './http/log.ts'
import type { Every } from './real-time.ts'

/**
 * What systemd is told (`Type=notify`, `WatchdogSec=`), where it started us and asked for it by NOTIFY_SOCKET. Elsewhere
 * nothing happens. Begins as starting; `ready` once, then signs of life until `stopping`.
 */
export interface ServiceManager {
  /** Resolves when it knows, or cannot be told: who waits for us to be ready may go on then. */
  ready(status: string): Promise<void>
  stopping(): void
}

export interface Needs {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly every: Every
  readonly log: Log
}

const run = promisify(execFile)

// It waits until systemd has read the message, on a busy machine for seconds. A READY that is lost would cost a restart.
const TELL_TIMEOUT_MS = 30_000

export function createServiceManager({ env, pid, every, log }: Needs): ServiceManager {
  const socket = env.NOTIFY_SOCKET
  if (!socket) return { ready: async () => {}, stopping: () => {} }

  let stopSignsOfLife = () => {}

  // Node cannot open such a socket (unix, datagram); systemd brings a program that can. It says so in our name, so the
  // unit needs NotifyAccess=all.
  async function tell(...assignments: readonly string[]): Promise<void> {
    try {
      await run('systemd-notify', assignments, {
        env: { NOTIFY_SOCKET: socket, PATH: env.PATH },
        timeout: TELL_TIMEOUT_MS,
      })
    } catch (err) {
      log.warn({ err, assignments }, 'systemd could not be told')
    }
  }

  return {
    async ready(status) {
      const intervalMs = watchdogMs(env, pid)
      // Twice within the time allowed, as systemd advises. It comes from the event loop, which is what may hang.
      if (intervalMs !== null) stopSignsOfLife = every(intervalMs / 2, () => void tell('WATCHDOG=1'))
      await tell('READY=1', `STATUS=${status}`)
    },
    stopping() {
      stopSignsOfLife()
      void tell('STOPPING=1', 'STATUS=stopping')
    },
  }
}

/** Null: nobody waits for signs of life, at least not for ours. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Needs['env'], pid: number): number | null {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return null
  const ms = Number(WATCHDOG_USEC) / 1_000
  return Number.isFinite(ms) && ms > 0 ? ms : null
}
