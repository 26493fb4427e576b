import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CheckError, checkError } from './check-error.ts'
import type { Command, CommandResult } from './run-command.ts'
import { isRecord, parseJson } from './untrusted-json.ts'

export type ExpectedHosts =
  | {
      readonly hosts: readonly string[]
      /** The whole of the inventory, as Ansible printed it. */
      readonly text: string
    }
  | { readonly error: CheckError }

// One Ansible program needs a third of a second for this; a dynamic inventory may ask a cloud.
export const INVENTORY_TIMEOUT_MS = 120_000

type RunAnsible = (file: string, args: readonly string[]) => Promise<CommandResult>

/**
 * Which hosts a check must account for, as the inventory names them. Asked of `ansible-inventory` and not of the run
 * itself: of a run that saw no host at all, Ansible says that it went well.
 */
export async function readInventory(options: {
  readonly inventory: string
  readonly cwd: Command['cwd']
  readonly run: RunAnsible
}): Promise<ExpectedHosts> {
  const { inventory, cwd, run } = options
  // A comma makes it a list of hosts instead of a file (Ansible's own rule).
  if (!inventory.includes(',') && !existsSync(resolve(cwd, inventory))) {
    return { error: checkError('inventory_missing', inventory) }
  }

  const { ending, stdout, stderr } = await run('ansible-inventory', ['-i', inventory, '--list'])
  if (ending.kind === 'not_started') return { error: checkError('ansible_missing', ending.reason) }
  if (ending.kind === 'interrupted') return { error: checkError('interrupted') }
  if (ending.kind === 'timed_out') return { error: checkError('timeout', 'while reading the inventory') }
  const hosts = ending.kind === 'exited' && ending.code === 0 ? hostsIn(stdout) : null
  if (hosts === null) return { error: whyNoHosts(stderr) }
  if (hosts.length === 0) return { error: checkError('inventory_empty') }
  return { hosts, text: stdout }
}

/** What Ansible gives to ssh before and after everything else, from wherever the user has set it. */
export interface ConfiguredSshArgs {
  readonly first: string
  readonly last: string
}

export async function readSshArgs(run: RunAnsible): Promise<ConfiguredSshArgs> {
  const { stdout } = await run('ansible-config', ['dump', '--type', 'connection', '--format', 'json'])
  const settings = parseJson(stdout)
  return {
    first: findSetting(settings, 'ssh_args') ?? '-C -o ControlMaster=auto -o ControlPersist=60s', // Ansible's default
    last: findSetting(settings, 'ssh_extra_args') ?? '',
  }
}

/** Whether ssh can ask a program for host keys, and so must be told not to. */
export async function hasKnownHostsCommand(run: RunAnsible): Promise<boolean> {
  const { ending } = await run('ssh', ['-F', 'none', '-G', '-o', 'KnownHostsCommand=none', 'localhost'])
  return ending.kind === 'exited' && ending.code === 0
}

function hostsIn(json: string): string[] | null {
  const groups = parseJson(json)
  if (!isRecord(groups)) return null
  const names = Object.entries(groups).flatMap(([group, value]) => {
    if (!isRecord(value)) return []
    const listed = group === '_meta' && isRecord(value.hostvars) ? Object.keys(value.hostvars) : value.hosts
    return Array.isArray(listed) ? listed.filter((name) => typeof name === 'string') : []
  })
  return [...new Set(names)].sort()
}

// The shape changes between versions; what stays is an entry "ssh" with settings that have a name and a value.
function findSetting(value: unknown, name: string): string | null {
  if (Array.isArray(value)) return value.map((one) => findSetting(one, name)).find((found) => found !== null) ?? null
  if (!isRecord(value)) return null
  const settings = value.ssh
  if (Array.isArray(settings)) {
    const setting = settings.find((entry) => isRecord(entry) && entry.name === name)
    return isRecord(setting) && typeof setting.value === 'string' ? setting.value : null
  }
  const setting = isRecord(settings) ? settings[name] : null
  return isRecord(setting) && typeof setting.value === 'string' ? setting.value : null
}

function whyNoHosts(stderr: string): CheckError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = lines.find((line) => line.startsWith('ERROR') || line.startsWith('[ERROR]')) ?? lines[0] ?? ''
  return checkError(
    /vault (secrets|password)|Decryption failed/i.test(said) ? 'vault_password_missing' : 'inventory_invalid',
    said,
  )
}
