import { type App, type AppConfig, startApp } from '../../src/app.ts'
import { REAL_TIME } from '../../src/real-time.ts'

export interface LogLine {
  readonly level: string
  readonly fields: Record<string, unknown>
  readonly msg: string
}

export interface AppUnderTest extends App {
  readonly log: readonly LogLine[]
  /** Lets time pass: both clocks, at the same pace. What is done again and again is done. */
  advance(seconds: number): void
  /** Lets time pass in which this process stands still. */
  standStill(seconds: number): void
  /** Sets the wall clock, and only that one. */
  setClock(time: string): void
}

/** Starts the whole server in this process, with clocks that stand still until they are told otherwise. */
export async function startTestApp({
  at = '2026-04-21T10:30:00Z',
  wait = async () => {},
  ...overrides
}: Partial<AppConfig> & { at?: string; wait?: () => Promise<void> } = {}): Promise<AppUnderTest> {
  let wallMs = Date.parse(at)
  let monotonicMs = 1_000
  const log: LogLine[] = []
  const write = (level: string) => (fields: unknown, msg?: string) => {
    log.push({ level, fields: { ...(fields as object) }, msg: msg ?? '' })
  }

  const tasks = new Set<{ readonly ms: number; readonly task: () => void }>()

  const config: AppConfig = {
    host: '127.0.0.1',
    port: 0,
    databaseUrl: 'sqlite::memory:',
    shutdownWaitMs: 0,
    retentionMs: 0,
    auth: 'auto',
    anonymous: 'read',
    tokensFile: '',
    ...overrides,
  }
  const app = await startApp(config, {
    ...REAL_TIME,
    now: () => new Date(wallMs),
    monotonicMs: () => monotonicMs,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    wait,
    every(ms, task) {
      const repeated = { ms, task }
      tasks.add(repeated)
      return () => tasks.delete(repeated)
    },
  })
  return {
    ...app,
    log,
    advance(seconds) {
      for (let left = seconds; left > 0; left--) {
        const stepMs = Math.min(left, 1) * 1_000
        wallMs += stepMs
        monotonicMs += stepMs
        for (const { ms, task } of tasks) if (monotonicMs % ms === 0) task()
      }
    },
    standStill(seconds) {
      wallMs += seconds * 1_000
      monotonicMs += seconds * 1_000
    },
    setClock(time) {
      wallMs = Date.parse(time)
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent; each test looks at what it is about
  readonly body: any
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}/api/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export async function get(url: string, path: string): Promise<Answer> {
  const response = await fetch(url + path)
  return { status: response.status, headers: response.headers, body: await response.json() }
}
