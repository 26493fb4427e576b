import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type CheckError, checkError } from './check-error.ts'
import { runCommand } from './run-command.ts'

export interface SshAgent {
  readonly socket: string
  stop(): void
}

const START_TIMEOUT_MS = 10_000

/**
 * Starts an ssh-agent that holds the one key. The key goes in by standard input: never onto a disk, into arguments
 * or the environment of another process, or into a log.
 *
 * The agent lives as long as the `cat` that it was started around, and that reads from us: when we die in whatever
 * way, even by SIGKILL, the pipe closes, `cat` ends, and the agent with it (it looks every ten seconds). Should that
 * fail too, the key expires.
 */
export async function startSshAgent(options: {
  readonly privateKey: string
  /** A private directory for the socket. */
  readonly directory: string
  readonly lifetimeMs: number
  readonly env: Readonly<Record<string, string>>
}): Promise<SshAgent | { readonly error: CheckError }> {
  const { privateKey, directory, lifetimeMs, env } = options
  const socket = join(directory, 'agent')

  const holder = spawn('ssh-agent', ['-a', socket, 'sh', '-c', 'echo "$SSH_AGENT_PID"; exec cat'], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const pid = await Promise.race([
    once(createInterface(holder.stdout), 'line').then(([line]) => Number(line)),
    once(holder, 'exit').then(() => null),
    once(holder, 'error').then(() => null),
    new Promise<null>((resolve) => setTimeout(resolve, START_TIMEOUT_MS, null).unref()),
  ]).catch(() => null)
  if (pid === null || !Number.isSafeInteger(pid) || pid <= 1) {
    holder.kill('SIGKILL')
    return { error: checkError('ssh_agent_failed') }
  }
  holder.stdin.on('error', () => {})

  const stop = () => {
    holder.stdin.end()
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // It has ended meanwhile.
    }
  }

  const lifetimeSeconds = String(Math.ceil(lifetimeMs / 1000))
  const added = await runCommand({
    file: 'ssh-add',
    args: ['-q', '-t', lifetimeSeconds, '-'],
    cwd: directory,
    env: { ...env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' },
    input: asKeyFile(privateKey),
    timeoutMs: START_TIMEOUT_MS,
  })
  if (added.ending.kind !== 'exited' || added.ending.code !== 0) {
    stop()
    return { error: checkError('ssh_key_invalid') } // not what ssh-add said: it may quote what it read
  }
  return { socket, stop }
}

// Secret stores trim the last line break, and web forms send CRLF. OpenSSH takes neither.
function asKeyFile(privateKey: string): string {
  return `${privateKey.replaceAll('\r\n', '\n').trim()}\n`
}
