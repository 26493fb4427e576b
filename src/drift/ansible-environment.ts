import type { ConfiguredSshArgs } from './inventory.ts'
import { strictSshOptions } from './ssh-options.ts'

/** Files that Ansible needs from us; one folder, laid out as in this repository under `ansible/`. */
export interface AnsibleParts {
  readonly callbackDirectory: string
}

export interface RunFiles {
  readonly resultFile: string
  readonly runId: string
  /** Private to this run and removed after it. */
  readonly directory: string
  /** Whether the result file gets texts of what differs. */
  readonly withTexts: boolean
}

/** Begins the name of each connection's socket. */
export const CONTROL_SOCKET = 'c-'

// What a program needs to run at all, and how it reaches the servers. Nothing else of ours may bend a check, and no
// secret of ours may reach a playbook.
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ', 'TMPDIR', 'SSH_AUTH_SOCK', 'KRB5CCNAME']

// Settings by which somebody outside could make a check look at less, check fewer keys, or tell us less.
const NOT_PASSED = [
  'ANSIBLE_HOST_KEY_CHECKING',
  'ANSIBLE_SSH_HOST_KEY_CHECKING',
  'ANSIBLE_PARAMIKO_HOST_KEY_CHECKING',
  'ANSIBLE_RUN_TAGS',
  'ANSIBLE_SKIP_TAGS',
  'ANSIBLE_LOG_PATH',
  'ANSIBLE_CALLBACKS_ENABLED',
  'ANSIBLE_CALLBACK_WHITELIST',
  'ANSIBLE_STDOUT_CALLBACK',
]

/** The environment of everything that we start, from an allow-list. */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  passAlso: readonly string[] = [],
): Record<string, string> {
  const passed = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isPassed(name, passAlso) ? [[name, value] as const] : [],
  )
  return { ...Object.fromEntries(passed), LC_ALL: env.LC_ALL ?? 'C.UTF-8' }
}

// They differ from run to run and say nothing about a playbook's result.
const OF_THE_RUN = ['PATH', 'SHELL', 'TMPDIR', 'SSH_AUTH_SOCK', 'KRB5CCNAME']

/** Of what is passed on, what a playbook's result may depend on. */
export function bindingVariables(
  env: Readonly<Record<string, string | undefined>>,
  passAlso: readonly string[],
): Record<string, string> {
  const passed = Object.entries(childEnvironment(env, passAlso))
  return Object.fromEntries(passed.filter(([name]) => passAlso.includes(name) || !OF_THE_RUN.includes(name)))
}

function isPassed(name: string, passAlso: readonly string[]): boolean {
  if (passAlso.includes(name) || PASSED.includes(name)) return true
  return name.startsWith('LC_') || (name.startsWith('ANSIBLE_') && !NOT_PASSED.includes(name))
}

/** What every Ansible program gets on top. */
export function ansibleEnvironment({ directory }: Pick<RunFiles, 'directory'>): Record<string, string> {
  return {
    ANSIBLE_LOCAL_TEMP: directory,
    // One broken source among several would silently take its hosts out of the run.
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: 'true',
    ANSIBLE_NOCOLOR: 'true',
    ANSIBLE_FORCE_COLOR: 'false',
    ANSIBLE_RETRY_FILES_ENABLED: 'false',
  }
}

/** What a drift check gets on top of that. */
export function checkEnvironment(parts: AnsibleParts, files: RunFiles): Record<string, string> {
  const { resultFile, runId, withTexts } = files
  return {
    ANSIBLE_CALLBACK_PLUGINS: parts.callbackDirectory,
    ANSIBLE_STDOUT_CALLBACK: 'default',
    ANSIBLE_HOST_KEY_CHECKING: 'true',
    ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD: 'false',
    // `local` here would compare this machine with itself, under each server's name. An inventory may still say it.
    ANSIBLE_TRANSPORT: 'ssh',
    GITOPS_STATUS_RESULT_FILE: resultFile,
    GITOPS_STATUS_RUN_ID: runId,
    ...(withTexts && { GITOPS_STATUS_DIFF: '1' }),
  }
}

/**
 * Extra variables, which nothing in an inventory or a playbook can override. OpenSSH takes the first value that it is
 * given for an option, so whatever the user's own settings say after ours about host keys has no effect; the rest of
 * them (jump hosts, ports, ciphers) stays. Only of -S, which is ControlPath, it takes the last: so that stands at the
 * very end as well.
 */
export function sshVariables(options: {
  readonly knownHostsFile: string
  /** Private to this run. */
  readonly socketDirectory: string
  /** Ansible's own `ssh_args` and `ssh_extra_args`, which extra variables replace. */
  readonly configured: ConfiguredSshArgs
  /** Whether ssh has this option (OpenSSH 8.5); an older one stops at a name that it does not know. */
  readonly hasKnownHostsCommand: boolean
}): string {
  const socket = `${options.socketDirectory}/${CONTROL_SOCKET}%C`
  const ours = [
    ...strictSshOptions(options),
    // A connection that somebody opened before, with other host key settings, must not be shared.
    `ControlPath="${socket}"`,
  ]
  return JSON.stringify({
    ansible_ssh_args: `${ours.map((option) => `-o ${shellQuoted(option)}`).join(' ')} ${options.configured.first}`,
    ansible_ssh_extra_args: `${options.configured.last} -S ${shellQuoted(socket)}`.trim(),
    ansible_ssh_executable: 'ssh', // another one need not heed any of this
    ansible_host_key_checking: true,
    ansible_ssh_host_key_checking: true,
    ansible_paramiko_host_key_checking: true,
  })
}

// Ansible splits the arguments as a shell would.
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}
