/**
 * What every connection of ours goes by, whoever opens it. OpenSSH takes the first value that it is given for an
 * option, so these stand in front of whatever the user has set.
 */
export function strictSshOptions(options: {
  readonly knownHostsFile: string
  /** Whether ssh has this option (OpenSSH 8.5); an older one stops at a name that it does not know. */
  readonly hasKnownHostsCommand: boolean
}): string[] {
  return [
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    `UserKnownHostsFile="${options.knownHostsFile}"`,
    'GlobalKnownHostsFile=/dev/null',
    // The other ways in which OpenSSH lets a server pass.
    'NoHostAuthenticationForLocalhost=no',
    'VerifyHostKeyDNS=no',
    ...(options.hasKnownHostsCommand ? ['KnownHostsCommand=none'] : []),
    'BatchMode=yes',
    'ConnectTimeout=10',
    // A server that hangs in the middle of something ends its connection, not the whole check.
    'ServerAliveInterval=5',
    'ServerAliveCountMax=6',
  ]
}
