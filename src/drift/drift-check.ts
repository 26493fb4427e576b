import { resolve } from 'node:path'
import { readGitState } from './baseline/git-state.ts'
import { type CheckError, checkError } from './check-error.ts'
import {
  ansibleRunner,
  type Directories,
  type FullCheckRequest,
  openFullChecks,
  readSshSettings,
} from './full-checks.ts'
import { type ExpectedHosts, INVENTORY_TIMEOUT_MS, readInventory } from './inventory.ts'
import type { Verdict } from './judge.ts'
import { limitTo } from './limit-to.ts'
import { inPrivateDirectories, temporaryError } from './private-directories.ts'
import { DEADLINES, openHostLooks } from './snapshot/host-looks.ts'
import { checkWithBaselines, type FastSettings } from './with-baselines.ts'

export interface CheckRequest extends FullCheckRequest {
  /** The one host to check; null for every host of the inventory. */
  readonly onlyHost: string | null
  readonly timeoutMs: number
  /** How baselines are used; null: not at all. */
  readonly fast: FastSettings | null
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

async function checkIn(directories: Directories, request: CheckRequest): Promise<Outcome> {
  const { inventory, onlyHost, timeoutMs } = request
  const began = performance.now()
  const run = ansibleRunner(request, directories)
  const ask = (file: string, args: readonly string[]) =>
    run(file, args, { timeoutMs: Math.min(timeoutMs, INVENTORY_TIMEOUT_MS) })

  const readGit = (stateDirectory: string) =>
    readGitState({ directory: request.directory, except: resolve(request.directory, stateDirectory), run: ask })

  const [listed, ssh, git] = await Promise.all([
    readInventory({ inventory, cwd: request.directory, run: ask }),
    readSshSettings(request, directories, ask),
    request.fast && readGit(request.fast.stateDirectory),
  ])
  const expected = onlyThe(onlyHost, listed)
  if ('error' in expected) return failed(onlyHost, expected.error)

  const checks = await openFullChecks(request, { directories, run, ssh, lifetimeMs: timeoutMs + 60_000 })
  if ('error' in checks) return failedFor(expected.hosts, checks.error)

  const remainingMs = () => Math.max(timeoutMs - (performance.now() - began), 1)
  const output: string[] = []
  const checkFully = async (hosts: readonly string[], options: { limit: string | null; timeoutMs: number }) => {
    const checked = await checks.checkFully(hosts, options)
    output.push(checked.output)
    return checked.verdicts
  }
  try {
    const { fast } = request
    if (fast === null || git === null) {
      const verdicts = await checkFully(expected.hosts, { limit: onlyHost, timeoutMs })
      return { verdicts, error: null, notes: [], output: output.join('\n') }
    }
    const looks = openHostLooks(checks.hostOptions)
    try {
      const { verdicts, notes } = await checkWithBaselines(expected, {
        request: { ...request, fast },
        git,
        readGit: () => readGit(fast.stateDirectory),
        look: (requests) => looks.lookAtAll(requests, DEADLINES),
        ask: (name, access, question) => looks.evidence({ name, access }, question, DEADLINES),
        checkFully: (hosts) =>
          checkFully(hosts, {
            limit: hosts.length === expected.hosts.length ? onlyHost : limitTo(hosts, directories.directory),
            timeoutMs: remainingMs(),
          }),
        hasTime: () => remainingMs() > MIN_REPEAT_MS && !request.signal?.aborted,
      })
      return { verdicts, error: null, notes, output: output.join('\n') }
    } finally {
      looks.close()
    }
  } finally {
    await checks.close()
  }
}

// Less is not enough for any playbook.
const MIN_REPEAT_MS = 5_000

/** The one host that somebody asked for, of those that the inventory names. */
export function onlyThe(onlyHost: string | null, listed: ExpectedHosts): ExpectedHosts {
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
