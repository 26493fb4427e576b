/** What a controller is told: whom to look at, and for what. The first look begins at once, each further one at a line. */
export interface Job {
  readonly hosts: readonly { readonly name: string; readonly host: string; readonly port: number }[]
  readonly paths: readonly string[]
  readonly listing: string
  readonly keyFile: string
  readonly knownHostsFile: string
  /** A private directory. */
  readonly directory: string
  /** `ssh_args` of Ansible. */
  readonly sshArgs: string
}

/** What it says of each look, as one line of JSON. */
export interface Looked {
  readonly failed: readonly string[]
  /** Of everything that was seen. */
  readonly digest: string
}
