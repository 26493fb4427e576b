import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Evidence } from '../../src/drift/evidence.ts'

export const REPOSITORY = new URL('../..', import.meta.url).pathname.replace(/\/$/, '')

/** Why these tests cannot run here; false when they can. */
export const cannotRun: string | false =
  process.getuid?.() !== 0
    ? 'needs root, for a mount namespace of its own'
    : spawnSync('ansible-playbook', ['--version']).status !== 0
      ? 'needs ansible-core (apt-get install ansible-core)'
      : false

// Whatever is written to /etc in here stays in here, and is gone with the process that waits.
const LAY_OVER_ETC = `
  set -eu
  mount -t tmpfs tmpfs "$1"
  mkdir "$1/upper" "$1/work" "$1/home" "$1/tmp"
  mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" overlay /etc
  echo ready
  read -r _ || :
`

export interface Finished {
  readonly code: number | null
  readonly output: string
}

export interface CheckRun extends Finished {
  /** The result file; null when the run left none. */
  readonly evidence: Evidence | null
}

/** A mount namespace with an /etc of its own, in which Ansible is both controller and server. */
export class PrivateEtc implements AsyncDisposable {
  readonly #directory: string
  readonly #waiting: ChildProcess

  private constructor(directory: string, waiting: ChildProcess) {
    this.#directory = directory
    this.#waiting = waiting
  }

  static async make(): Promise<PrivateEtc> {
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-etc-'))
    const waiting = spawn('unshare', ['--mount', 'sh', '-c', LAY_OVER_ETC, 'sh', directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await Promise.race([
      once(waiting.stdout, 'data'),
      once(waiting, 'exit').then(() => Promise.reject(new Error('no mount namespace could be made'))),
    ])
    return new PrivateEtc(directory, waiting)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#waiting, 'exit')
    this.#waiting.stdin?.end()
    await ended
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const entered = [`--mount=/proc/${this.#waiting.pid}/ns/mnt`, 'sh', '-c', 'cd "$0" && exec "$@"', REPOSITORY]
    const child = spawn('nsenter', [...entered, ...command], {
      env: {
        PATH: process.env.PATH,
        LC_ALL: 'C.UTF-8',
        HOME: join(this.#directory, 'home'),
        TMPDIR: join(this.#directory, 'tmp'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    const [code] = await once(child, 'close')
    return { code, output }
  }

  /** Runs a shell script, which must succeed, and returns what it printed. */
  async shell(script: string): Promise<string> {
    const { code, output } = await this.run(['bash', '-c', `set -eu\n${script}`])
    if (code !== 0) throw new Error(`exit code ${code}: ${output}`)
    return output
  }

  async playbook(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CheckRun> {
    // On the machine's own /tmp, which is the same in there.
    const results = mkdtempSync(join(tmpdir(), 'gitops-status-result-'))
    const file = join(results, 'result.json')
    try {
      const finished = await this.run(['ansible-playbook', ...args], {
        GITOPS_STATUS_RESULT_FILE: file,
        GITOPS_STATUS_RUN_ID: 'run-1',
        ...env,
      })
      return { ...finished, evidence: readEvidence(file) }
    } finally {
      rmSync(results, { recursive: true, force: true })
    }
  }

  /** Everything about everything in /etc that a change would change, access times aside. */
  async snapshot(): Promise<string> {
    return await this.shell(`
      find /etc -printf '%p %y %i %m %U %G %s %T@ %C@ %l\\n' | sort
      find /etc -type f -exec sha256sum {} + | sort
    `)
  }
}

function readEvidence(file: string): Evidence | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** An inventory file: each host with its variables, in Ansible's INI form. */
export function writeInventory(directory: string, hosts: Readonly<Record<string, string>>): string {
  const file = join(directory, 'inventory.ini')
  writeFileSync(
    file,
    Object.entries(hosts)
      .map(([host, variables]) => `${host} ${variables}\n`)
      .join(''),
  )
  return file
}

export const LOCAL = 'ansible_connection=local ansible_python_interpreter=/usr/bin/python3'
/** As if over SSH: what would be the client runs the command here. */
export const AS_IF_SSH = `ansible_connection=ssh ansible_ssh_executable=${REPOSITORY}/test/ansible/as-if-ssh.sh`
// Nobody listens there: refused at once.
export const DOWN = 'ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1'
