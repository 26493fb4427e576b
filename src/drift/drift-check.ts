import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  ansibleEnvironment,
  CONTROL_SOCKET,
  checkEnvironment,
  childEnvironment,
  sshVariables,
} from './ansible-environment.ts'
import { ansibleParts } from './ansible-parts.ts'
import { readGitState } from './baseline/git-state.ts'
import { type CheckError, checkError } from './check-error.ts'
import { type ExpectedHosts, hasKnownHostsCommand, readInventory, readSshArgs } from './inventory.ts'
import { judge, type Verdict } from './judge.ts'
import { type KnownHosts, knownHostsFile } from './known-hosts.ts'
import { limitTo } from './limit-to.ts'
import { type CommandResult, runCommand } from './run-command.ts'
import { DEADLINES, openHostLooks } from './snapshot/host-looks.ts'
import { startSshAgent } from './ssh-agent.ts'
import { checkWithBaselines, type FastSettings } from './with-baselines.ts'

export interface CheckRequest {
  /** Root of the GitOps repository; the other paths may be relative to it. */
  readonly directory: string
  readonly playbook: string
  readonly inventory: string
  /** The one host to check; null for every host of the inventory. */
  readonly onlyHost: string | null
  /** Further arguments for ansible-playbook. */
  readonly ansibleArgs: readonly string[]
  readonly timeoutMs: number
  readonly privateKey: string | null
  readonly knownHosts: KnownHosts
  readonly env: Readonly<Record<string, string | undefined>>
  /** Names of variables that playbooks look up and that are not passed on by themselves. */
  readonly passEnv: readonly string[]
  /** How baselines are used; null: not at all. */
  readonly fast: FastSettings | null
  /** Whether texts of what differs are wanted, too. */
  readonly withTexts?: boolean
  readonly signal?: AbortSignal
}

export interface CheckResult {
  /** When the comparison began. */
  readonly startedAt: Date
  readonly durationMs: number
  /** One for each expected host. */
  readonly verdicts: readonly Verdict[]
  /** Why it is not even known which hosts to expect. */
  readonly error: CheckError | null
  /** What a person should know of baselines that could not be used, one line each. */
  readonly notes: readonly string[]
  /** What Ansible printed, for people. Not to be sent anywhere: it may hold contents of files. */
  readonly output: string
}

// One Ansible program needs a third of a second for this; a dynamic inventory may ask a cloud.
const INVENTORY_TIMEOUT_MS = 120_000

/**
 * Compares servers with Git by running Ansible in check mode, and changes nothing on them. Never rejects for what
 * goes wrong in the run: that is a verdict, or the result's `error`.
 */
export async function runDriftCheck(request: CheckRequest): Promise<CheckResult> {
  const startedAt = new Date()
  const began = performance.now()
  const outcome = await inPrivateDirectories((directories) => checkIn(directories, request)).catch((error: unknown) =>
    failed(request.onlyHost, temporaryError(error)),
  )
  return { startedAt, durationMs: Math.round(performance.now() - began), ...outcome }
}

type Outcome = Pick<CheckResult, 'verdicts' | 'error' | 'notes' | 'output'>

interface Directories {
  readonly directory: string
  readonly socketDirectory: string
}

// The path of a socket ends after 107 bytes, and ssh appends the names of two to that of the directory.
const MAX_SOCKET_DIRECTORY_BYTES = 107 - '/c-'.length - 40 - '.1234567890abcdef'.length

async function inPrivateDirectories(use: (directories: Directories) => Promise<Outcome>): Promise<Outcome> {
  const made: string[] = []
  const make = (parent: string) => {
    const directory = mkdtempSync(join(parent, 'gitops-status-'))
    made.push(directory)
    return directory
  }
  try {
    const directory = make(tmpdir())
    const fits = Buffer.byteLength(directory) <= MAX_SOCKET_DIRECTORY_BYTES
    return await use({ directory, socketDirectory: fits ? directory : make('/tmp') })
  } finally {
    for (const directory of made) rmSync(directory, { recursive: true, force: true })
  }
}

/** @throws what is no trouble with files: that is a bug, and no finding. */
function temporaryError(error: unknown): CheckError {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error
  return checkError(
    error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'disk_full' : 'temporary_unwritable',
    error.message,
  )
}

async function checkIn({ directory, socketDirectory }: Directories, request: CheckRequest): Promise<Outcome> {
  const { inventory, onlyHost, timeoutMs, privateKey } = request
  const began = performance.now()
  const env = { ...childEnvironment(request.env, request.passEnv), ...ansibleEnvironment({ directory }) }
  const run = (file: string, args: readonly string[], more: { env?: Record<string, string>; timeoutMs: number }) =>
    runCommand({
      file,
      args,
      cwd: request.directory,
      env: { ...env, ...more.env },
      timeoutMs: more.timeoutMs,
      ...(request.signal && { signal: request.signal }),
    })
  const ask = (file: string, args: readonly string[]) =>
    run(file, args, { timeoutMs: Math.min(timeoutMs, INVENTORY_TIMEOUT_MS) })

  const readGit = (stateDirectory: string) =>
    readGitState({ directory: request.directory, except: resolve(request.directory, stateDirectory), run: ask })

  const [listed, configured, canAskForHostKeys, git] = await Promise.all([
    readInventory({ inventory, cwd: request.directory, run: ask }),
    readSshArgs(ask),
    hasKnownHostsCommand(ask),
    request.fast && readGit(request.fast.stateDirectory),
  ])
  const expected = onlyThe(onlyHost, listed)
  if ('error' in expected) return failed(onlyHost, expected.error)

  const ssh = {
    knownHostsFile: knownHostsFile(request.knownHosts, { directory, cwd: request.directory }),
    configured,
    hasKnownHostsCommand: canAskForHostKeys,
  }
  const variables = sshVariables({ ...ssh, socketDirectory })
  const agent =
    privateKey === null
      ? null
      : await startSshAgent({
          privateKey,
          directory: socketDirectory,
          lifetimeMs: timeoutMs + 60_000,
          env: childEnvironment(request.env),
        })
  if (agent !== null && 'error' in agent) return failedFor(expected.hosts, agent.error)

  const withKey = agent === null ? {} : { SSH_AUTH_SOCK: agent.socket }
  const remainingMs = () => Math.max(timeoutMs - (performance.now() - began), 1)
  const output: string[] = []
  const checkFully = async (hosts: readonly string[], options: { limit: string | null; timeoutMs: number }) => {
    const runId = randomUUID()
    const resultFile = join(directory, `result-${runId}.json`)
    const ran = await run('ansible-playbook', playbookArgs(request, options.limit, variables), {
      env: {
        ...checkEnvironment(ansibleParts(directory), {
          resultFile,
          runId,
          directory,
          withTexts: request.withTexts ?? false,
        }),
        ...withKey,
      },
      timeoutMs: options.timeoutMs,
    })
    output.push(outputOf(ran))
    return judge(hosts, { ending: ran.ending, output: outputOf(ran), result: readIfThere(resultFile), runId })
  }
  const all = { limit: onlyHost, timeoutMs }
  try {
    const { fast } = request
    if (fast === null || git === null) {
      return { verdicts: await checkFully(expected.hosts, all), error: null, notes: [], output: output.join('\n') }
    }
    const looks = openHostLooks({
      ssh,
      env: { ...childEnvironment(request.env), ...withKey },
      cwd: request.directory,
      ...(request.signal && { signal: request.signal }),
    })
    try {
      const { verdicts, notes } = await checkWithBaselines(expected, {
        request: { ...request, fast },
        git,
        readGit: () => readGit(fast.stateDirectory),
        look: (requests) => looks.lookAtAll(requests, DEADLINES),
        ask: (name, access, question) => looks.evidence({ name, access }, question, DEADLINES),
        checkFully: (hosts) =>
          checkFully(hosts, {
            limit: hosts.length === expected.hosts.length ? onlyHost : limitTo(hosts, directory),
            timeoutMs: remainingMs(),
          }),
        hasTime: () => remainingMs() > MIN_REPEAT_MS && !request.signal?.aborted,
      })
      return { verdicts, error: null, notes, output: output.join('\n') }
    } finally {
      looks.close()
    }
  } finally {
    await closeSharedConnections(socketDirectory, env)
    agent?.stop()
  }
}

// Less is not enough for any playbook.
const MIN_REPEAT_MS = 5_000

function playbookArgs(
  { playbook, inventory, ansibleArgs }: CheckRequest,
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

function onlyThe(onlyHost: string | null, listed: ExpectedHosts): ExpectedHosts {
  if ('error' in listed || onlyHost === null) return listed
  return listed.hosts.includes(onlyHost)
    ? { ...listed, hosts: [onlyHost] }
    : { error: checkError('host_not_in_inventory', onlyHost) }
}

/** Without a list of hosts the one that was asked for still gets its UNKNOWN. */
function failed(onlyHost: string | null, error: CheckError): Outcome {
  return onlyHost === null ? { verdicts: [], error, notes: [], output: '' } : failedFor([onlyHost], error)
}

function failedFor(hosts: readonly string[], error: CheckError): Outcome {
  const nothing = { status: 'UNKNOWN', error, drift: [], coverage: null, seen: null } as const
  return { verdicts: hosts.map((host): Verdict => ({ host, ...nothing })), error: null, notes: [], output: '' }
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
