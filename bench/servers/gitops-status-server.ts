import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const STARTER = fileURLToPath(new URL('../../bin/gitops-status-server', import.meta.url))
const PROBE = new URL('./event-loop-probe.ts', import.meta.url).href

export interface Start {
  /** An empty one of its own. */
  readonly directory: string
  /** More for NODE_OPTIONS. */
  readonly nodeOptions?: string
  /** Measure the pauses of its event loop; costs a timer each millisecond. */
  readonly probe?: boolean
}

export interface GitopsStatusServer extends ServerProcess {
  databaseMB(): number
  walMB(): number
  /** The longest pause of the event loop since this was asked last; only with `probe`. */
  longestPause(): Promise<Pause>
}

export interface Pause {
  readonly ms: number
  /** The most CPU that its thread took in a piece: what others on the machine do adds nothing to it. */
  readonly cpuMs: number
}

/** Starts our server as its users do: by its starter, its settings the defaults, the log in a file. */
export async function startGitopsStatusServer({ directory, nodeOptions = '', probe = false }: Start) {
  const database = join(directory, 'gitops-status.db')
  const pauses = join(directory, 'pauses')
  const options = [process.env.NODE_OPTIONS ?? '', nodeOptions, probe ? `--import=${PROBE}` : ''].join(' ').trim()
  const server = await startServerProcess({
    command: STARTER,
    args: ['--port', '0', '--database-url', `sqlite:${database}`],
    env: { NODE_OPTIONS: options, EVENT_LOOP_PAUSES: pauses },
    log: join(directory, 'log'),
    ready: /"msg":"ready at http:[^"]+:(\d+)"/,
  })

  return {
    ...server,
    databaseMB: () => megabytes(database),
    walMB: () => megabytes(`${database}-wal`),
    async longestPause() {
      const before = linesOf(pauses).length
      server.signal('SIGUSR2')
      for (const giveUpAt = performance.now() + 30_000; performance.now() < giveUpAt; ) {
        const said = linesOf(pauses)[before]
        if (said !== undefined) {
          const [ms = Number.NaN, cpuMs = Number.NaN] = said.split(' ').map(Number)
          return { ms, cpuMs }
        }
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error('The probe of the event loop does not answer')
    },
  } satisfies GitopsStatusServer
}

function megabytes(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 1_024 ** 2
}

function linesOf(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return []
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}
