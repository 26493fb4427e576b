import { spawn } from 'node:child_process'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Written to standard input, which is then closed. Nothing: the command sees an empty one. */
  readonly input?: string
  readonly timeoutMs: number
  /** How long something may go on after it was asked to end. */
  readonly killAfterMs?: number
  readonly signal?: AbortSignal
}

/** How a command ended. Only `exited` says anything about what it did. */
export type Ending =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'not_started'; readonly reason: string }

export interface CommandResult {
  readonly ending: Ending
  readonly stdout: string
  readonly stderr: string
}

// Ansible's output grows with the fleet; an inventory of 5,000 hosts is a few megabytes of JSON.
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
// Ansible passes a SIGTERM on to its workers and waits for them; a hung SSH client does not heed it.
const KILL_AFTER_MS = 3_000

/**
 * Runs a command in a session of its own: without a terminal nothing in it can ask for a password, and a signal
 * reaches all of its descendants. Never rejects: how it ended is the result.
 */
export function runCommand(command: Command): Promise<CommandResult> {
  return new Promise((resolve) => {
    const { file, args, cwd, env, input, timeoutMs, killAfterMs = KILL_AFTER_MS, signal } = command
    if (signal?.aborted) {
      resolve({ ending: { kind: 'interrupted' }, stdout: '', stderr: '' })
      return
    }

    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    let cutShort: Ending | undefined
    let killTimer: NodeJS.Timeout | undefined
    let leftoverTimer: NodeJS.Timeout | undefined

    const end = (ending: Ending) => {
      cutShort ??= ending
      signalGroup(child.pid, 'SIGTERM')
      killTimer ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), killAfterMs)
    }
    const onAbort = () => end({ kind: 'interrupted' })
    const timeout = setTimeout(() => end({ kind: 'timed_out' }), timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })

    const finish = (ending: Ending) => {
      clearTimeout(timeout)
      clearTimeout(killTimer)
      clearTimeout(leftoverTimer)
      signal?.removeEventListener('abort', onAbort)
      resolve({ ending: cutShort ?? ending, stdout: stdout(), stderr: stderr() })
    }
    child.once('error', (error) => finish({ kind: 'not_started', reason: error.message }))
    child.once('exit', () => {
      // A worker that outlived Ansible would keep the pipes open, and keep working on the servers.
      signalGroup(child.pid, 'SIGKILL')
      // What has left the group is out of reach, and might keep them open for ever.
      leftoverTimer = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, killAfterMs)
    })
    child.once('close', (code, killedBy) =>
      finish(killedBy === null ? { kind: 'exited', code: code ?? -1 } : { kind: 'killed', signal: killedBy }),
    )

    child.stdin.once('error', () => {}) // it may end without reading its input
    child.stdin.end(input ?? '')
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk)
    bytes += chunk.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended meanwhile.
  }
}
