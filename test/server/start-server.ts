import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// Twenty starts of the same code need not compile it twenty times.
const ENV = {
  ...process.env,
  NODE_COMPILE_CACHE: new URL('../../node_modules/.cache/compile', import.meta.url).pathname,
}

const MAIN = new URL('../../src/gitops-status-server.ts', import.meta.url).pathname

export interface RunningServer {
  readonly url: string
  readonly process: ChildProcess
  readonly lines: readonly string[]
  /** Sends a signal and resolves to the exit code; null when the signal itself ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

export interface Start {
  /** The path of a file, or the URL of another database. */
  readonly database: string
  /** Run under this command, such as strace with its options. */
  readonly under?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Starts the server as its users do, on a free port, and resolves when it says that it is ready. */
export async function startServer({ database, under = [], args = [], env = {} }: Start): Promise<RunningServer> {
  const databaseUrl = database.includes('://') ? database : `sqlite:${database}`
  const command = [...under, process.execPath, MAIN, '--port', '0', '--database-url', databaseUrl, ...args]
  const [program = '', ...rest] = command
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...ENV, ...env } })
  const exited = once(child, 'exit')
  const lines: string[] = []

  const url = await new Promise<string>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      const found = /ready at (http:[^"\s]+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })

  return {
    url,
    process: child,
    lines,
    async end(signal) {
      child.kill(signal)
      const [code] = await exited
      return code
    },
  }
}

/** Runs the server until it ends by itself: for starts that must fail. */
export async function runServer(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...ENV, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}
