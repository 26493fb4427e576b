/**
 * What one run of Ansible in check mode saw, as `ansible/callback_plugins/gitops_status.py` writes it down.
 *
 * The plugin records and decides nothing for us: which status a host has earned is said in `judge.ts`, for every
 * host that was expected, with UNKNOWN as the default. Contents never appear here, hashes only.
 */
export interface Evidence {
  readonly format: 1
  /** Echo of GITOPS_STATUS_RUN_ID: proves that the file is of this run and not left over from another. */
  readonly run_id: string
  readonly ansible_version: string
  /** True when every play ran in check mode. Otherwise the run was a deployment, and says nothing about drift. */
  readonly check_mode: boolean
  /** Why only part of the playbook ran, in words such as "--tags rsyslog". Empty: all of it. */
  readonly selection: readonly string[]
  readonly hosts: Readonly<Record<string, HostEvidence>>
}

export interface HostEvidence {
  /** The last play reached this host: nothing before it cut the run short. */
  readonly sentinel: boolean
  /** How many task results compared something on the host with what Git says. Loops count each item. */
  readonly verified: number
  readonly failures: readonly Failure[]
  readonly unchecked: readonly Unchecked[]
  readonly drift: readonly DriftEvidence[]
}

export interface Failure {
  readonly task: string
  readonly kind: 'failed' | 'unreachable'
  /** Ansible went on (ignore_errors, ignore_unreachable, rescue, failed_when): the check did not succeed all the same. */
  readonly ignored: boolean
  readonly message: string
}

export interface Unchecked {
  readonly task: string
  readonly reason: 'skipped_in_check_mode' | 'verdict_overridden'
}

export interface DriftEvidence {
  readonly task: string
  /** The raw bytes of the whole path; null for what has no path (a package, a service). */
  readonly path_base64: string | null
  readonly change: 'modified' | 'missing' | 'extra' | 'metadata'
  /** What Git declares, as far as the task says it. */
  readonly expected: FileFacts
  /** What the server has. */
  readonly actual: FileFacts
  /** RFC 3339, UTC, whole seconds; the server's own clock. */
  readonly modified_at: string | null
}

export interface FileFacts {
  readonly sha256?: string
  /** Four octal digits: "0644". */
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /** Only when it is not a plain file: "directory", "link", … */
  readonly type?: string
}
