import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'

/** Where Debian puts each version's programs; the newest one, or null where there is none. */
const BIN = newestBin('/usr/lib/postgresql')

/** For `skip`: CI may not skip, a laptop may. */
export const NO_POSTGRES = BIN === null && process.env.CI !== 'true' && 'PostgreSQL is not installed'

// PostgreSQL refuses to run as root.
const OWNER = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}

// Many stores at once; and what a commit does not write down itself is not written down behind its back.
const SETTINGS = ['max_connections=200', 'wal_writer_delay=10s', 'autovacuum_naptime=1h'].flatMap((one) => ['-c', one])

export interface PostgresCluster {
  /** An empty schema of its own. */
  newSchema(): Promise<string>
  /** As the owner of the database. */
  sql(url: string, text: string): Promise<Record<string, unknown>[]>
  /** Dumps the whole database and restores it as another one, with the commands of docs/operate.md. Resolves to its URL. */
  restoredCopy(url: string): Promise<string>
  /** The server and all processes that it started. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends the server as a power cut does, for those that use it. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** A PostgreSQL of our own on a free port of the loopback address, which writes down to the disk as it would for users. */
export async function startPostgres(): Promise<PostgresCluster> {
  if (BIN === null) throw new Error('PostgreSQL is not installed: run scripts/install-tools.ts')
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-postgres-'))
  if (OWNER.uid !== undefined) chownSync(directory, OWNER.uid, OWNER.gid ?? OWNER.uid)
  const data = join(directory, 'data')
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(BIN, 'initdb'), options, { ...OWNER, cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] })
  const port = await freePort()
  const base = `postgres://postgres@127.0.0.1:${port}/postgres`
  let server: ChildProcess
  let schemas = 0

  async function start(): Promise<void> {
    const args = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', directory, ...SETTINGS]
    const log: string[] = []
    // After a kill the processes of the one before need a moment to notice that it is gone.
    for (let attempt = 0; ; attempt++) {
      server = spawn(join(BIN ?? '', 'postgres'), args, {
        ...OWNER,
        cwd: directory,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      server.stderr?.on('data', (chunk) => log.push(String(chunk)))
      if (await isReady()) return
      if (attempt === 50) throw new Error(`PostgreSQL does not start:\n${log.join('')}`)
      await wait(100)
    }
  }

  async function isReady(): Promise<boolean> {
    while (server.exitCode === null) {
      try {
        await sql(base, 'SELECT 1')
        return true
      } catch {
        await wait(20)
      }
    }
    return false
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill(signal)
    await exited
  }

  await start()
  return {
    async newSchema() {
      const schema = `test_${process.pid}_${schemas++}`
      await sql(base, `CREATE SCHEMA ${schema}`)
      return `${base}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
    },
    sql,
    async restoredCopy(url) {
      const copy = `copy_${schemas++}`
      const file = join(directory, `${copy}.dump`)
      await sql(base, `CREATE DATABASE ${copy}`)
      const env = { ...process.env, PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres' }
      execFileSync('pg_dump', ['--format=custom', `--file=${file}`, 'postgres'], { env })
      execFileSync('pg_restore', ['--clean', '--if-exists', `--dbname=${copy}`, file], { env })
      return url.replace('/postgres?', `/${copy}?`)
    },
    signal(signal) {
      // Each of them is the leader of a group of its own, so they are asked for.
      const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
      for (const pid of children.trim().split(' ').filter(Boolean)) {
        try {
          process.kill(Number(pid), signal)
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // it has just ended
        }
      }
      server.kill(signal)
    },
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGQUIT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const results: unknown = await client.query(text)
    return Array.isArray(results) ? results.at(-1).rows : (results as { rows: Record<string, unknown>[] }).rows
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('has no port')
  return address.port
}

function newestBin(root: string): string | null {
  const versions = existsSync(root)
    ? readdirSync(root).filter((name) => existsSync(join(root, name, 'bin/initdb')))
    : []
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? null : join(root, newest, 'bin')
}

function idOf(option: '-u' | '-g'): number | undefined {
  return BIN === null ? undefined : Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
}
