import type { Cause } from '../contract/report.ts'
import type { SyncStatus } from '../domain/report.ts'
import { type CheckError, type CheckErrorCode, checkError } from './check-error.ts'
import { type DriftEvidence, type Evidence, type Failure, type HostEvidence, parseEvidence } from './evidence.ts'
import type { Ending } from './run-command.ts'

/** What a check found out about one host. */
export interface Verdict {
  readonly host: string
  readonly status: SyncStatus
  /** Why nothing was found out; null exactly when something was. */
  readonly error: CheckError | null
  readonly drift: readonly Drift[]
  /** Which side has changed since the last deploy that is known. Left out: that is not known. */
  readonly cause?: Cause
  /** How the verdict was reached, where more than one way is open; and where two ways did not say the same. */
  readonly check?: {
    readonly method: 'full' | 'fast'
    readonly disagreement?: string
    /** Why the next check of the host must be a full one again. Not reported: it says nothing about the host. */
    readonly uncertified?: string
  }
  /** How much of the playbook looked at the server; null when there is no evidence at all. */
  readonly coverage: Coverage | null
  /** What the run named and how it reached the host, for a look at it without Ansible; null when there is no evidence. */
  readonly seen: Pick<HostEvidence, 'named' | 'listed' | 'looked_for' | 'access'> | null
}

export type Drift = DriftEvidence & {
  readonly cause?: Cause
  /** Who changed it on the server, in the words of the report. Left out: nobody could be named. */
  readonly modified_by?: string
}

export interface Coverage {
  readonly checked: number
  readonly total: number
  readonly unchecked: readonly UncheckedTask[]
  /** How many of those checked a look without Ansible compares, too. Only where there are such looks. */
  readonly watched?: number
  /** Which it does not, each once. */
  readonly unwatched?: readonly UncheckedTask[]
  /** When the full check began that the counts are of. */
  readonly fullCheckAt?: Date
}

export interface UncheckedTask {
  readonly name: string
  readonly reason: string
}

/** One run of ansible-playbook, seen from outside. */
export interface PlaybookRun {
  readonly ending: Ending
  /** What it printed. Chooses between reasons for UNKNOWN, and can never make it anything else. */
  readonly output: string
  /** The result file's content; null when there is none. */
  readonly result: string | null
  /** What the result file must echo. */
  readonly runId: string
}

/**
 * Says of each expected host what the run proved. The list of hosts comes from outside the run: a host that Ansible
 * never heard of cannot be missing from its own list. Every host starts as UNKNOWN and earns another status by
 * evidence. Ansible's exit code proves nothing (0: clean, drifted, or no host at all; 4: unreachable or a syntax
 * error), so it is only ever used against a host.
 */
export function judge(hosts: readonly string[], run: PlaybookRun): Verdict[] {
  const outcome = evidenceOf(run)
  if ('error' in outcome) return hosts.map((host) => unknown(host, outcome.error))
  return hosts.map((host) => judgeHost(host, outcome.evidence, run.output))
}

/** The whole run's evidence, or what is wrong with all of it. */
function evidenceOf({ ending, output, result, runId }: PlaybookRun): { evidence: Evidence } | { error: CheckError } {
  switch (ending.kind) {
    case 'not_started':
      return { error: checkError('ansible_missing', ending.reason) }
    case 'timed_out':
      return { error: checkError('timeout') }
    case 'interrupted':
      return { error: checkError('interrupted') }
    case 'killed':
      return { error: checkError('ansible_killed', ending.signal) }
    case 'exited':
  }

  if (result === null) return { error: whyNoResult(output) }
  const evidence = parseEvidence(result)
  if (evidence === null) return { error: checkError('result_invalid') }
  if (evidence.run_id !== runId) return { error: checkError('result_invalid', 'it is from another run') }
  if (!evidence.check_mode) return { error: checkError('not_a_check') }

  const explained = Object.values(evidence.hosts).some((host) => host.failures.length > 0)
  if (ending.code !== 0 && !explained) return { error: checkError('run_failed', lastError(output)) }
  return { evidence }
}

function judgeHost(host: string, evidence: Evidence, output: string): Verdict {
  const seen = Object.hasOwn(evidence.hosts, host) ? evidence.hosts[host] : undefined
  if (seen === undefined) return unknown(host, checkError('host_not_in_run'))

  const found = { coverage: coverageOf(seen, evidence.selection), seen: seenIn(seen) }
  const failure = seen.failures.find(({ ignored }) => !ignored) ?? seen.failures[0]
  if (failure !== undefined) return unknown(host, failureError(failure, lineAbout(host, output)), found)
  if (!seen.sentinel) return unknown(host, checkError('run_cut_short'), found)
  if (seen.verified <= 0) return unknown(host, checkError('nothing_verified'), found)

  const status = seen.drift.length > 0 ? 'OUT_OF_SYNC' : 'SYNCED'
  return { host, status, error: null, drift: seen.drift, ...found }
}

function unknown(host: string, error: CheckError, found: Found = { coverage: null, seen: null }): Verdict {
  return { host, status: 'UNKNOWN', error, drift: [], ...found }
}

type Found = Pick<Verdict, 'coverage' | 'seen'>

function seenIn({ named, listed, looked_for, access }: HostEvidence): Verdict['seen'] {
  return { named, listed, looked_for, access }
}

function coverageOf({ verified, unchecked }: HostEvidence, selection: readonly string[]): Coverage {
  const gaps = [
    ...unchecked.map(({ task, reason }) => ({ name: task, reason })),
    ...selection.map((words) => ({ name: `everything outside ${words}`, reason: 'not_selected' })),
  ]
  return { checked: verified, total: verified + gaps.length, unchecked: gaps }
}

// What Ansible and OpenSSH say, most telling first. The words are theirs and change between versions: where none
// fits, the code is the general one of its kind.
const DISK_FULL = /No space left on device|Disk quota exceeded/i
export const UNREACHABLE_WORDS: readonly [RegExp, CheckErrorCode][] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/i, 'host_key_changed'],
  [/Host key verification failed|No .* host key is known|authenticity of host/i, 'host_key_unknown'],
  [/Permission denied|Too many authentication failures|no mutual signature/i, 'auth_failed'],
  [DISK_FULL, 'disk_full'],
]

export const FAILED_WORDS: readonly [RegExp, CheckErrorCode][] = [
  [DISK_FULL, 'disk_full'],
  [
    /python[\d.]*: (command )?not found|No python interpreters? found|interpreter .*not found|python.*No such file|need to set the interpreter/i,
    'python_missing',
  ],
  [
    /(missing|incorrect) \w+ password|privilege escalation|becoming an unprivileged user|\b(sudo|su|doas): /i,
    'become_failed',
  ],
  [/no vault secrets|vault password|decryption failed/i, 'vault_password_missing'],
]

const NO_RESULT_WORDS: readonly [RegExp, CheckErrorCode][] = [
  [/no vault secrets|vault password|Decryption failed|vault/i, 'vault_password_missing'],
  [/the playbook: .* could not be found|playbook .* does not appear to be a file/i, 'playbook_missing'],
  [/leaves us with no hosts to target/i, 'host_not_in_run'],
  [/couldn't resolve module\/action|could not resolve|was not found in configured module paths/i, 'unknown_module'],
  [
    /inventory.*(unparsed|could not be parsed|unable to parse|failed to parse)|Unable to parse .* as an inventory|Completely failed to parse inventory/i,
    'inventory_invalid',
  ],
  [
    /Syntax Error|not a valid attribute|YAML|could not be loaded|is not a legal parameter|must be|playbook/i,
    'playbook_invalid',
  ],
  [DISK_FULL, 'disk_full'],
]

function failureError({ task, kind, ignored, message }: Failure, printed: string): CheckError {
  if (kind === 'unreachable') {
    // The message is the first line that ssh said, and of a changed key that is a row of @.
    const code = matching(UNREACHABLE_WORDS, message) ?? matching(UNREACHABLE_WORDS, printed) ?? 'unreachable'
    return checkError(code, message.replace(/@{3,}/g, ''))
  }
  const general = ignored ? 'task_failed_ignored' : DISK_FULL.test(printed) ? 'disk_full' : 'task_failed'
  return checkError(matching(FAILED_WORDS, message) ?? general, `${task}: ${message}`)
}

/** What Ansible printed of a host that it gave up; empty when that is not there. */
function lineAbout(host: string, output: string): string {
  return output.split('\n').find((line) => line.startsWith(`fatal: [${host}]: `)) ?? ''
}

function whyNoResult(output: string): CheckError {
  const said = lastError(output)
  return said === ''
    ? checkError('result_missing')
    : checkError(matching(NO_RESULT_WORDS, said) ?? 'result_missing', said)
}

export function matching(words: readonly [RegExp, CheckErrorCode][], message: string): CheckErrorCode | undefined {
  return words.find(([pattern]) => pattern.test(message))?.[1]
}

/** The line in which Ansible says why it gave up; empty when it said nothing of the kind. */
function lastError(output: string): string {
  return output.split('\n').findLast((line) => /^\s*(\[?ERROR\]?[:!]|ERROR!)/.test(line)) ?? ''
}
