import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment } from '../drift/ansible-environment.ts'
import { runCommand } from '../drift/run-command.ts'
import { CI_NAMES, type CiName, PIPELINES } from '../init/pipelines.ts'

/** What a repository shows by itself; null where it does not. */
export interface FoundRepository {
  readonly ci: CiName | null
  readonly branch: string | null
  readonly deployPlaybook: string | null
  readonly validatePlaybook: string | null
  readonly inventory: string | null
  readonly ansibleConfig: string | null
  readonly configuresHostKeys: boolean
  readonly exists: (path: string) => boolean
  readonly isFile: (path: string) => boolean
  readonly isFolder: (path: string) => boolean
}

// Where people keep them, the usual place first.
const DEPLOY_PLAYBOOKS = [
  'ansible/playbooks/deploy',
  'ansible/playbooks/site',
  'ansible/site',
  'playbooks/deploy',
  'playbooks/site',
  'deploy',
  'site',
  'playbook',
]
const INVENTORIES = [
  'ansible/inventory/hosts.yml',
  'ansible/inventory/hosts.ini',
  'ansible/inventory',
  'ansible/hosts.yml',
  'ansible/hosts',
  'inventory/hosts.yml',
  'inventory/hosts.ini',
  'inventory',
  'inventory.yml',
  'inventory.ini',
  'hosts.yml',
  'hosts.ini',
  'hosts',
]
const GIT_TIMEOUT_MS = 10_000

export async function findRepository(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FoundRepository> {
  const exists = (path: string) => existsSync(join(directory, path))
  const kind = (path: string) => statSync(join(directory, path), { throwIfNoEntry: false })
  const isFile = (path: string) => kind(path)?.isFile() ?? false
  const isFolder = (path: string) => kind(path)?.isDirectory() ?? false
  const firstPlaybook = (names: readonly string[]) =>
    names.flatMap((name) => [`${name}.yml`, `${name}.yaml`]).find(isFile) ?? null
  const ansibleConfig = ['ansible.cfg', 'ansible/ansible.cfg'].find(isFile) ?? null
  // Several may be there: the one for which there is a sign and no second is taken for granted, else somebody is asked.
  const cis = CI_NAMES.filter((name) => PIPELINES[name].signs.some(exists))

  return {
    ci: cis.length === 1 ? (cis[0] ?? null) : null,
    branch: await git(['symbolic-ref', '--quiet', '--short', 'HEAD'], directory, env),
    deployPlaybook: firstPlaybook(DEPLOY_PLAYBOOKS),
    validatePlaybook: firstPlaybook(['ansible/playbooks/validate', 'playbooks/validate', 'validate']),
    inventory: INVENTORIES.find(exists) ?? null,
    ansibleConfig,
    configuresHostKeys:
      ansibleConfig !== null && /KnownHostsFile/i.test(readFileSync(join(directory, ansibleConfig), 'utf8')),
    exists,
    isFile,
    isFolder,
  }
}

/** The one line that git answers; null when it answers nothing, or is not there. */
export async function git(
  args: readonly string[],
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const { ending, stdout } = await runCommand({
    file: 'git',
    args,
    cwd: directory,
    env: childEnvironment(env),
    timeoutMs: GIT_TIMEOUT_MS,
  })
  return ending.kind === 'exited' && ending.code === 0 ? stdout.trim() || null : null
}

/** A path that means the same in YAML and in a shell without quotes, and does not lead out of the repository. */
export function isPlainPath(path: string): boolean {
  return /^[A-Za-z0-9_.][A-Za-z0-9_./-]*$/.test(path) && !path.split('/').includes('..')
}
