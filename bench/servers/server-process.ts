import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { endChild, endWithUs } from './end-with-us.ts'

export interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where its output goes: to a file, as under a service manager. Reading it as it comes would cost us its CPU. */
  readonly log: string
  /** Finds the port that the server says it listens on. */
  readonly ready: RegExp
}

export interface ServerProcess {
  readonly pid: number
  readonly port: number
  /** CPU that it has used so far. */
  cpuMicros(): number
  memory(): Memory
  signal(signal: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL when that does not help. */
  end(): Promise<void>
}

export interface Memory {
  readonly nowMB: number
  readonly peakMB: number
}

const START_MS = 120_000

export async function startServerProcess({ command, args, env, log, ready }: Start): Promise<ServerProcess> {
  const output = openSync(log, 'w') // not its predecessor's port
  const child = spawn(command, args, { stdio: ['ignore', output, output], env: { ...process.env, ...env } })
  closeSync(output)
  endWithUs(child)
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} cannot be started`)

  const port = await portOf()
  return {
    pid,
    port,
    cpuMicros: () => cpuMicrosOf(pid),
    memory: () => memoryOf(pid),
    signal: (signal) => child.kill(signal),
    end: () => endChild(child),
  }

  async function portOf(): Promise<number> {
    const giveUpAt = performance.now() + START_MS
    for (;;) {
      const text = readFileSync(log, 'utf8')
      const found = ready.exec(text)?.[1]
      if (found !== undefined) return Number(found)
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}:\n${text.slice(-2_000)}`)
      if (performance.now() > giveUpAt) throw new Error(`${command} was not ready in time:\n${text.slice(-2_000)}`)
      await wait(20)
    }
  }
}

// The kernel's unit in /proc: USER_HZ, which is 100 on every architecture that Linux has on servers.
const TICK_MICROS = 10_000

function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [fields[11], fields[12]]
  return (Number(user) + Number(system)) * TICK_MICROS
}

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1_024
  return { nowMB: megabytes('VmRSS'), peakMB: megabytes('VmHWM') }
}
