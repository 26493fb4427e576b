import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { type App, startApp } from '../../src/app.ts'
import type { StatusJson } from '../../src/contract/status-json.ts'
import { CannotStart } from '../../src/domain/cannot-start.ts'
import { childEnvironment } from '../../src/drift/ansible-environment.ts'
import { runCommand } from '../../src/drift/run-command.ts'
import { REAL_TIME } from '../../src/real-time.ts'
import { runCli } from '../../src/reporter/cli.ts'
import type { Lab } from './lab-server.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PORT = 8080
const PAUSE_BETWEEN_CHECKS_MS = 3_000
// A check of one server takes a few seconds; on a busy machine more.
const INTERVAL_SECONDS = 20
const DEPLOY_TIMEOUT_MS = 300_000

/** gitops-status-server as in production, on a database and with a log in the lab's directory. */
export async function startStatusServer(directory: string): Promise<App & AsyncDisposable> {
  const log = pino({ base: null }, pino.destination({ dest: join(directory, 'server.log'), sync: true }))
  const start = (port: number) =>
    startApp(
      {
        host: '127.0.0.1',
        port,
        databaseUrl: `sqlite:${join(directory, 'gitops-status.db')}`,
        shutdownWaitMs: 0,
        retentionMs: 0,
        auth: 'auto',
        anonymous: 'read',
        tokensFile: '',
      },
      { ...REAL_TIME, log },
    )
  // Somebody may already have a server on the usual port: any other will do.
  const app = await start(PORT).catch((error: unknown) => {
    if (error instanceof CannotStart) return start(0)
    throw error
  })
  return { ...app, [Symbol.asyncDispose]: app.stop }
}

/** How Ansible finds the lab's servers: what a user's own ssh config would say. */
export function sshArguments(sshConfig: string): string {
  return `-F ${sshConfig}`
}

/** Rolls the repository out, as a pipeline would. Throws with what Ansible said when it fails. */
export async function deploy(sshConfig: string, signal: AbortSignal): Promise<void> {
  const { ending, stdout, stderr } = await runCommand({
    file: 'ansible-playbook',
    args: ['-i', 'ansible/inventory/hosts.yml', 'ansible/playbooks/deploy.yml'],
    cwd: ROOT,
    env: { ...childEnvironment(process.env), ANSIBLE_SSH_COMMON_ARGS: sshArguments(sshConfig) },
    timeoutMs: DEPLOY_TIMEOUT_MS,
    signal,
  })
  if (ending.kind !== 'exited' || ending.code !== 0) throw new Error(`The deploy failed.\n${stdout}${stderr}`)
}

/** Checks and reports again and again, and says when the status server shows something new. */
export async function watch(lab: Lab, serverUrl: string, signal: AbortSignal): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    GITOPS_STATUS_SERVER_URL: serverUrl,
    GITOPS_STATUS_INTERVAL: String(INTERVAL_SECONDS),
    REPO_NAME: 'rsyslog',
    SSH_PRIVATE_KEY: lab.privateKey,
    SSH_KNOWN_HOSTS: lab.knownHosts,
    ANSIBLE_SSH_COMMON_ARGS: sshArguments(lab.sshConfigForAgent),
  }
  let shown = ''
  while (!signal.aborted) {
    const said: string[] = []
    const console = { out: () => {}, err: (line: string) => said.push(line) }
    await runCli(['report', '--quiet'], { env, directory: ROOT, console, terminal: false, signal })
    if (signal.aborted) return

    const now = await readStatus(serverUrl)
    const state = now === null ? said.join('\n') : describe(now)
    if (state !== shown) log(state)
    shown = state
    await sleep(PAUSE_BETWEEN_CHECKS_MS, undefined, { signal }).catch(() => {})
  }
}

async function readStatus(serverUrl: string): Promise<StatusJson | null> {
  const response = await fetch(`${serverUrl}/status.json`).catch(() => null)
  return response?.ok ? ((await response.json()) as StatusJson) : null // our own server in this process
}

function describe({ items, files, error }: StatusJson): string {
  const lines = items.map(({ server, sync_status }) => `${server} is ${sync_status}`)
  const names = files.map(({ name, change = 'modified' }) => `    ${name} (${change})`)
  return [...lines, ...(error ? [`    ${error.code}: ${error.message}`] : []), ...names].join('\n')
}

function log(text: string): void {
  console.log(`${new Date().toTimeString().slice(0, 8)}  ${text.replaceAll('\n', '\n          ')}`)
}
