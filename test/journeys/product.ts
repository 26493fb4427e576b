import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StatusJson } from '../../src/contract/status-json.ts'
import type { Lab, LabServer } from '../lab/lab-server.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A gitops-status-server as a user starts it: a process of its own, on a database of its own. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string
  readonly log: readonly string[]
  statusJson(query?: string): Promise<StatusJson>
  /** Ends it without a warning, and starts it again on the same database and port. */
  killAndRestart(): Promise<void>
}

export async function startServer(): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-journey-'))
  const log: string[] = []
  let { child, url } = await launch(directory, 0, log)

  return {
    url,
    log,
    async statusJson(query = '') {
      const response = await fetch(`${url}/status.json${query}`)
      return (await response.json()) as StatusJson // the server's own answer: the tests look at its fields
    },
    async killAndRestart() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      ;({ child, url } = await launch(directory, Number(new URL(url).port), log))
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function launch(directory: string, port: number, log: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'src/gitops-status-server.ts'),
      '--port',
      String(port),
      '--database-url',
      `sqlite:${directory}/test.db`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines = createInterface(child.stdout)
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line)
      const ready = /"url":"([^"]+)"/.exec(line)?.[1]
      if (ready) resolve(ready)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${log.join('\n')}`)))
  })
  return { child, url }
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command from the root of the repository. */
export async function command(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}

/** The environment of the requirement, for a pipeline that reports the lab's servers. */
export function pipelineEnvironment(lab: Lab | LabServer, serverUrl: string): NodeJS.ProcessEnv {
  return {
    ...plainEnvironment(),
    GITOPS_STATUS_SERVER_URL: serverUrl,
    REPO_NAME: 'rsyslog',
    SSH_PRIVATE_KEY: lab.privateKey,
    SSH_KNOWN_HOSTS: lab.knownHosts,
    ANSIBLE_CONFIG: 'ansible.cfg',
    // Where the server is: a user's own ssh config, as it were.
    ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
  }
}

/** For Ansible run by hand, with the key named in the ssh config. */
export function handEnvironment(lab: Lab | LabServer): NodeJS.ProcessEnv {
  return {
    ...plainEnvironment(),
    ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfig} -o ControlMaster=no -o ControlPath=none`,
  }
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, LC_ALL: 'C.UTF-8' }
}
