import { basename } from 'node:path'
import { CI_NAMES, type CiName } from '../init/pipelines.ts'
import { DEFAULT_INVENTORY, type RepositoryFacts } from '../init/repository-facts.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { type FoundRepository, isPlainPath } from './find-repository.ts'
import { type Flags, readFlags } from './flags.ts'
import { isTargetName } from './report-body.ts'
import { HOST, problemWithUrl } from './settings.ts'
import { VERSION } from './version.ts'

export const INIT_FLAGS = {
  ci: { type: 'string', value: 'NAME', help: `${CI_NAMES.join(', ')} (as the repository shows it)` },
  'repo-name': { type: 'string', value: 'NAME', help: 'name of this repository (REPO_NAME, or its folder)' },
  'server-name': { type: 'string', value: 'HOST', help: 'report this host only (SERVER_NAME, or every host)' },
  'server-url': {
    type: 'string',
    value: 'URL',
    help: 'address of gitops-status-server (GITOPS_STATUS_SERVER_URL)',
  },
  branch: { type: 'string', value: 'NAME', help: 'the branch that is deployed (the one that is checked out)' },
  playbook: { type: 'string', value: 'FILE', help: 'the playbook that deploys (as found)' },
  inventory: { type: 'string', value: 'FILE', help: `the inventory (as found; ${DEFAULT_INVENTORY})` },
  image: { type: 'string', value: 'NAME', help: `the image of the reporter (gitops-status-reporter:${VERSION})` },
  token: { type: 'boolean', help: 'gitops-status-server asks for a token: GITOPS_STATUS_TOKEN, from a secret' },
  'dry-run': { type: 'boolean', help: 'show what would be written' },
  overwrite: { type: 'boolean', help: 'replace files that differ, without asking' },
  help: { type: 'boolean', short: 'h', help: 'show this' },
} as const satisfies Flags

export interface InitSettings {
  readonly ci: CiName
  readonly facts: RepositoryFacts
  readonly dryRun: boolean
  readonly overwrite: boolean
}

export type Ask = (question: string) => Promise<string | null>

/** What is still open is asked for, where there is somebody to ask. @throws WrongSettings */
export async function readInitSettings(
  args: readonly string[],
  {
    env,
    directory,
    found,
    ask,
  }: {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly directory: string
    readonly found: FoundRepository
    readonly ask: Ask | null
  },
): Promise<InitSettings> {
  const problems: string[] = []
  const flags = readFlags(INIT_FLAGS, args, problems)
  if (problems.length > 0) throw new WrongSettings(problems)

  /** Flag before environment before question before what was found. */
  const choose = async (question: {
    readonly flag: keyof typeof INIT_FLAGS & keyof typeof flags
    readonly env?: string
    readonly found: string | null
    readonly says: string
    readonly problem: (value: string) => string | null
    readonly optional?: true
  }): Promise<string> => {
    const given = flags[question.flag]
    const set = question.env === undefined ? undefined : env[question.env] || undefined
    const name = given !== undefined || set === undefined ? `--${question.flag}` : (question.env ?? '')
    let value = typeof given === 'string' ? given : set
    while (value === undefined && ask !== null) {
      const suggestion = question.found ?? (question.optional ? 'every host' : null)
      const answer = await ask(`${question.says}${suggestion === null ? '' : ` [${suggestion}]`}: `)
      if (answer === null) throw new WrongSettings(['nothing was written: the questions were not answered'])
      const said = answer.trim() || question.found || ''
      const problem = said === '' && question.optional ? null : question.problem(said)
      if (problem === null) return said
      await ask(`${question.says} ${problem}. (Enter) `)
    }
    value ??= question.found ?? (question.optional ? '' : undefined)
    if (value === undefined) problems.push(`--${question.flag} is missing: ${question.says}`)
    const problem = value === undefined || value === '' ? null : question.problem(value)
    if (problem !== null) problems.push(`${name} ${problem}`)
    return value ?? ''
  }

  const path = (exists: (path: string) => boolean, what: string) => (value: string) =>
    !isPlainPath(value)
      ? `must be a path inside the repository, of letters, digits and any of . _ - /, not ${quoted(value)}`
      : exists(value)
        ? null
        : `${value}: there is no such ${what}`

  const ci = await choose({
    flag: 'ci',
    found: found.ci,
    says: `which CI (${CI_NAMES.join(', ')})`,
    problem: (value) => (isCi(value) ? null : `must be one of ${CI_NAMES.join(', ')}, not ${quoted(value)}`),
  })
  const serverUrl = await choose({
    flag: 'server-url',
    env: 'GITOPS_STATUS_SERVER_URL',
    found: null,
    says: 'address of gitops-status-server',
    problem: (value) =>
      problemWithUrl(value) ??
      (/^[\x21-\x7e]+$/.test(value) && !/["'$`\\{}]/.test(value)
        ? null
        : 'holds other characters than an address does'),
  })
  const repo = await choose({
    flag: 'repo-name',
    env: 'REPO_NAME',
    found: isTargetName(basename(directory)) ? basename(directory) : null,
    says: 'name of this repository',
    problem: (value) =>
      isTargetName(value) ? null : `must be letters, digits and any of . _ - / : @, not ${quoted(value)}`,
  })
  const server = await choose({
    flag: 'server-name',
    env: 'SERVER_NAME',
    found: null,
    optional: true,
    says: 'report one host of the inventory only',
    problem: (value) => (HOST.test(value) ? null : `must be one host name of the inventory, not ${quoted(value)}`),
  })
  const deployPlaybook = await choose({
    flag: 'playbook',
    found: found.deployPlaybook,
    says: 'the playbook that deploys',
    problem: path(found.isFile, 'file'),
  })
  const inventory = await choose({
    flag: 'inventory',
    found: found.inventory,
    says: 'the inventory',
    problem: path(found.exists, 'file or folder'),
  })
  const branch = await choose({
    flag: 'branch',
    found: found.branch,
    says: 'the branch that is deployed',
    problem: (value) =>
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/.test(value) ? null : `must be the name of a branch, not ${quoted(value)}`,
  })
  const image = await choose({
    flag: 'image',
    found: `gitops-status-reporter:${VERSION}`,
    says: 'the image of the reporter, with your registry in front',
    problem: (value) =>
      /^[a-z0-9][A-Za-z0-9._:/@-]{0,250}$/.test(value) ? null : `must be the name of an image, not ${quoted(value)}`,
  })
  if (problems.length > 0 || !isCi(ci)) throw new WrongSettings(problems)
  const token = flags.token ?? (ask !== null && isYes(await ask('Does gitops-status-server ask for a token (y/N)? ')))

  return {
    ci,
    facts: {
      repo,
      server: server === '' ? null : server,
      serverUrl: serverUrl.replace(/\/+$/, ''),
      branch,
      isBranchChosen: flags.branch !== undefined || branch !== found.branch,
      image,
      inventory,
      deployPlaybook,
      validatePlaybook: found.validatePlaybook,
      ansibleConfig: found.ansibleConfig,
      configuresHostKeys: found.configuresHostKeys,
      token,
    },
    dryRun: flags['dry-run'] ?? false,
    overwrite: flags.overwrite ?? false,
  }
}

/** Enter, and everything else, is a no. */
export function isYes(answer: string | null): boolean {
  return /^y(es)?$/i.test((answer ?? '').trim())
}

function isCi(name: string): name is CiName {
  return (CI_NAMES as readonly string[]).includes(name)
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 60))
}
