import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  ansibleEnvironment,
  CONTROL_SOCKET,
  checkEnvironment,
  childEnvironment,
  sshVariables,
} from './ansible-environment.ts'
import { ansibleParts } from './ansible-parts.ts'
import type { CheckError } from './check-error.ts'
import { hasKnownHostsCommand, readSshArgs } from './inventory.ts'
import { judge, type Verdict } from './judge.ts'
import { type KnownHosts, knownHostsFile } from './known-hosts.ts'
import { type CommandResult, runCommand } from './run-command.ts'
import type { HostOptions } from './snapshot/host-session.ts'
import type { SshSettings } from './snapshot/ssh-command.ts'
import { startSshAgent } from './ssh-agent.ts'

/** What a full check is made of, and how servers are reached. */
export interface FullCheckRequest {
  /** Root of the GitOps repository; the other paths may be relative to it. */
  readonly directory: string
  readonly playbook: string
  readonly inventory: string
  /** Further arguments for ansible-playbook. */
  readonly ansibleArgs: readonly string[]
  readonly privateKey: string | null
  readonly knownHosts: KnownHosts
  readonly env: Readonly<Record<string, string | undefined>>
  /** Names of variables that playbooks look up and that are not passed on by themselves. */
  readonly passEnv: readonly string[]
  /** Whether texts of what differs are wanted, too. */
  readonly withTexts?: boolean
  readonly signal?: AbortSignal
}

export interface Directories {
  /** Private to this run. */
  readonly directory: string
  /** Also private, with a path short enough for sockets. */
  readonly socketDirectory: string
}

export type RunAnsible = (
  file: string,
  args: readonly string[],
  more: { readonly timeoutMs: number; readonly env?: Readonly<Record<string, string>> },
) => Promise<CommandResult>

/** Runs a program in the repository as Ansible's are run. */
export function ansibleRunner(
  request: FullCheckRequest,
  { directory }: Directories,
  { killAfterMs }: { readonly killAfterMs?: number } = {},
): RunAnsible {
  const env = { ...childEnvironment(request.env, request.passEnv), ...ansibleEnvironment({ directory }) }
  return (file, args, more) =>
    runCommand({
      file,
      args,
      cwd: request.directory,
      env: { ...env, ...more.env },
      timeoutMs: more.timeoutMs,
      ...(killAfterMs !== undefined && { killAfterMs }),
      ...(request.signal && { signal: request.signal }),
    })
}

export async function readSshSettings(
  request: FullCheckRequest,
  { directory }: Directories,
  ask: (file: string, args: readonly string[]) => Promise<CommandResult>,
): Promise<SshSettings> {
  const [configured, canAskForHostKeys] = await Promise.all([readSshArgs(ask), hasKnownHostsCommand(ask)])
  return {
    knownHostsFile: knownHostsFile(request.knownHosts, { directory, cwd: request.directory }),
    configured,
    hasKnownHostsCommand: canAskForHostKeys,
  }
}

export interface FullChecks {
  /** Runs Ansible in check mode. `limit` is what keeps it from other hosts. */
  checkFully(
    hosts: readonly string[],
    options: { readonly limit: string | null; readonly timeoutMs: number },
  ): Promise<FullCheck>
  /** How a host is reached without Ansible, and with the same key. */
  readonly hostOptions: HostOptions
  close(): Promise<void>
}

export interface FullCheck {
  readonly verdicts: readonly Verdict[]
  /** What Ansible printed, for people. */
  readonly output: string
}

/** What several full checks have in common: the key in an agent, and the connections that Ansible shares. */
export async function openFullChecks(
  request: FullCheckRequest,
  {
    directories: { directory, socketDirectory },
    run,
    ssh,
    lifetimeMs,
  }: {
    readonly directories: Directories
    readonly run: RunAnsible
    readonly ssh: SshSettings
    /** After so long the key expires. */
    readonly lifetimeMs: number
  },
): Promise<FullChecks | { readonly error: CheckError }> {
  const agent =
    request.privateKey === null
      ? null
      : await startSshAgent({
          privateKey: request.privateKey,
          directory: socketDirectory,
          lifetimeMs,
          env: childEnvironment(request.env),
        })
  if (agent !== null && 'error' in agent) return agent

  const withKey = agent === null ? {} : { SSH_AUTH_SOCK: agent.socket }
  const variables = sshVariables({ ...ssh, socketDirectory })
  return {
    async checkFully(hosts, { limit, timeoutMs }) {
      const runId = randomUUID()
      const resultFile = join(directory, `result-${runId}.json`)
      const ran = await run('ansible-playbook', playbookArgs(request, limit, variables), {
        env: {
          ...checkEnvironment(ansibleParts(directory), {
            resultFile,
            runId,
            directory,
            withTexts: request.withTexts ?? false,
          }),
          ...withKey,
        },
        timeoutMs,
      })
      const output = outputOf(ran)
      const result = readIfThere(resultFile)
      rmSync(resultFile, { force: true })
      return { verdicts: judge(hosts, { ending: ran.ending, output, result, runId }), output }
    },
    hostOptions: {
      ssh,
      env: { ...childEnvironment(request.env), ...withKey },
      cwd: request.directory,
      ...(request.signal && { signal: request.signal }),
    },
    async close() {
      await closeSharedConnections(socketDirectory, {
        ...childEnvironment(request.env, request.passEnv),
        ...ansibleEnvironment({ directory }),
      })
      agent?.stop()
    },
  }
}

function playbookArgs(
  { playbook, inventory, ansibleArgs }: FullCheckRequest,
  limit: string | null,
  extraVariables: string,
): string[] {
  return [
    ...['-i', inventory],
    ...(limit === null ? [] : ['--limit', limit]),
    ...ansibleArgs,
    // Last, so that they win over whatever came before.
    ...['--check', '--diff', '--extra-vars', extraVariables],
    playbook,
  ]
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function outputOf({ stdout, stderr }: CommandResult): string {
  return `${stdout}\n${stderr}`
}

// Ansible leaves connections open for a minute, for a next run that would find them. Ours are private to this run.
async function closeSharedConnections(directory: string, env: Record<string, string>): Promise<void> {
  const sockets = readdirSync(directory).filter((name) => name.startsWith(CONTROL_SOCKET))
  await Promise.all(
    sockets.map((name) =>
      runCommand({
        file: 'ssh',
        args: ['-F', 'none', '-o', `ControlPath=${join(directory, name)}`, '-O', 'exit', 'server'],
        cwd: directory,
        env,
        timeoutMs: 5_000,
      }),
    ),
  )
}
