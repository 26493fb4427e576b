import type { ConfiguredSshArgs } from '../inventory.ts'
import { strictSshOptions } from '../ssh-options.ts'
import type { HostAccess } from './host-access.ts'
import { shellWords } from './shell-words.ts'

/** How the user's OpenSSH is used, for every host alike. */
export interface SshSettings {
  readonly knownHostsFile: string
  readonly hasKnownHostsCommand: boolean
  /** Ansible's own `ssh_args` and `ssh_extra_args`. */
  readonly configured: ConfiguredSshArgs
}

/** The arguments with which ssh runs `command` on the host, in Ansible's order; or why there are none. */
export function sshArguments(access: HostAccess, settings: SshSettings, command: string): string[] | { why: string } {
  const { host, port, user, keyFile, sshArgs } = access
  const first = shellWords(settings.configured.first)
  const last = shellWords(settings.configured.last)
  if (first === null || last === null) return { why: 'a quote in ssh_args or ssh_extra_args has no end' }
  if (!/^[^\s\p{C}-][^\s\p{C}]*$/u.test(host)) return { why: 'its address is none' }
  if ([user, keyFile].some((text) => text !== null && /["\p{C}]/u.test(text))) {
    return { why: 'its user or the file of the key has unusual characters' }
  }

  const options = [
    ...strictSshOptions(settings),
    // The connection is this look's own. One that was opened before might not have checked the key.
    'ControlMaster=no',
    'ControlPath=none',
    // None of the user's tunnels: their ports are taken while the user is logged in.
    'ClearAllForwardings=yes',
    'ForwardAgent=no',
    'ForwardX11=no',
    // What must be read are errors. A banner may be long, and somebody else's.
    'LogLevel=ERROR',
    'PasswordAuthentication=no',
    'KbdInteractiveAuthentication=no',
    'PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey',
  ]
  return [
    ...options.flatMap((option) => ['-o', option]),
    ...first,
    ...(port === null ? [] : ['-o', `Port=${port}`]),
    ...(keyFile === null ? [] : ['-o', `IdentityFile="${keyFile}"`]),
    ...(user === null ? [] : ['-o', `User="${user}"`]),
    ...sshArgs,
    ...last,
    // Of these the last one counts.
    ...['-T', '-S', 'none'],
    ...['--', host, command],
  ]
}

/**
 * Runs the next `length` bytes of standard input as a Python program and leaves what follows to it. The words are read
 * by the user's login shell, whichever that is: nothing in them means anything to sh, csh or fish. Nothing is read
 * from the host's environment or the user's own Python packages, and nothing is written, not even a compiled module.
 */
export function remoteCommand(
  { python, become }: Pick<HostAccess, 'python' | 'become'>,
  length: number,
): string | { why: string } {
  const program = python ?? 'python3'
  if (!/^[\p{L}\p{N}._+/ -]+$/u.test(program)) return { why: 'the path of its Python has unusual characters' }
  if (become !== null && !/^[\p{L}\p{N}_][\p{L}\p{N}_.@-]*$/u.test(become)) return { why: 'the user to become is none' }
  // A buffer of one byte never takes in more than was asked for.
  const start = `import io;exec(io.BufferedReader(io.FileIO(0,"r",False),1).read(${length}))`
  const asUser = become === null ? '' : `sudo -n -H -u '${become}' -- `
  return `${asUser}'${program}' -I -S -B -c '${start}'`
}
