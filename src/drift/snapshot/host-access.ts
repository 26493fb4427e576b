/**
 * How Ansible reached a host in a run, with every variable resolved: enough to reach it the same way without Ansible.
 * Recorded by the callback plugin. Never holds a secret.
 */
export interface HostAccess {
  readonly host: string
  readonly port: number | null
  readonly user: string | null
  readonly keyFile: string | null
  /** `ansible_ssh_common_args`: jump hosts and the like, as words for ssh. */
  readonly sshArgs: readonly string[]
  /** An absolute path, or null: whichever python3 the host finds. */
  readonly python: string | null
  /** The user to become by sudo without a password; null: nobody. */
  readonly become: string | null
}

/** Why a host can be looked at by Ansible only, in words such as "its connection is local". */
export interface NoHostAccess {
  readonly why: string
}
