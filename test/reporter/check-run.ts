import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReportBody } from '../../src/contract/report.ts'

const CLI = fileURLToPath(new URL('../../bin/gitops-status', import.meta.url))

/** Everything of one run of gitops-status that somebody outside can see. */
export interface RunOutcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunRequest {
  readonly directory: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Called as soon as the program runs. */
  readonly meanwhile?: ((pid: number) => Promise<void>) | undefined
}

/** Runs the real program, with nothing in its environment but what is given. */
export async function runGitopsStatus({ directory, args, env, meanwhile }: RunRequest): Promise<RunOutcome> {
  const child = spawn(CLI, args, {
    cwd: directory,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const closed = once(child, 'close')
  if (child.pid !== undefined) await meanwhile?.(child.pid)
  const [code] = await closed
  return { code: code as number | null, ...output }
}

/** A GitOps repository of somebody's own, removed at the end. */
export function makeRepository(files: Readonly<Record<string, string>>): { readonly directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-repository-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 })
  }
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

export type Answer = (response: ServerResponse, reports: readonly ReportBody[]) => void

const STORED = { applied: true, changed: false, previous_status: 'UNKNOWN', warnings: [] }

/** What gitops-status-server answers when all is well. */
export const stored: Answer = (response, reports) => {
  response.end(JSON.stringify(reports.length === 1 ? STORED : { results: reports.map(() => STORED) }))
}

/** Stands in for the status server, and keeps what it was sent. */
export async function startRecorder(answer: Answer): Promise<{ url: string; reports: ReportBody[] } & AsyncDisposable> {
  const reports: ReportBody[] = []
  const server = await listen((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const sent = [JSON.parse(body)].flat() as ReportBody[]
      reports.push(...sent)
      answer(response, sent)
    })
  })
  return { ...server, reports }
}

/** Stands in for anything that speaks HTTP. */
export async function listen(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
