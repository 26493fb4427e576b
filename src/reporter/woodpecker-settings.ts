import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SetupRequest } from '../woodpecker/setup.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { git } from './find-repository.ts'
import { type Flags, readFlags } from './flags.ts'
import { problemWithUrl, secret } from './settings.ts'

type Env = Readonly<Record<string, string | undefined>>

export const WOODPECKER_FLAGS = {
  repository: { type: 'string', value: 'OWNER/NAME', help: 'as Woodpecker calls it (from the remote "origin")' },
  cron: { type: 'string', value: 'NAME', help: 'name of the cron job (gitops_sync_check)' },
  branch: { type: 'string', value: 'NAME', help: 'the branch that it checks (the default branch)' },
  schedule: { type: 'string', value: 'CRON', help: 'five fields, or as "@every 5m" ("*/2 * * * *")' },
  timezone: { type: 'string', value: 'ZONE', help: 'that the schedule is meant in (UTC)' },
  secret: {
    type: 'string',
    value: 'NAME',
    multiple: true,
    help: 'a secret of the pipeline; may be repeated (those of its step update-gitops-status)',
  },
  'dry-run': { type: 'boolean', help: 'change nothing, say what would be done' },
  'no-color': { type: 'boolean', help: 'no colours (also: NO_COLOR)' },
  help: { type: 'boolean', short: 'h', help: 'show this' },
} as const satisfies Flags

export interface WoodpeckerSettings {
  readonly serverUrl: string
  readonly token: string
  readonly request: SetupRequest
  readonly color: boolean
}

/** @throws WrongSettings */
export async function readWoodpeckerSettings(
  args: readonly string[],
  { env, directory, terminal }: { readonly env: Env; readonly directory: string; readonly terminal: boolean },
): Promise<WoodpeckerSettings> {
  const problems: string[] = []
  const flags = readFlags(WOODPECKER_FLAGS, args, problems)

  const serverUrl = env.WOODPECKER_SERVER || null
  // Its words are about the address of another server.
  const urlProblem =
    serverUrl === null ? 'is not set' : problemWithUrl(serverUrl)?.replace('GITOPS_STATUS', 'WOODPECKER')
  if (urlProblem) problems.push(`WOODPECKER_SERVER ${urlProblem}`)
  const token = secret('WOODPECKER_TOKEN', env, problems)?.trim() ?? ''
  if (token === '' && problems.every((problem) => !problem.startsWith('WOODPECKER_TOKEN')))
    problems.push('WOODPECKER_TOKEN is not set: make one in Woodpecker, user settings, CLI & API')
  if (!/^[\x21-\x7e]*$/.test(token)) problems.push('WOODPECKER_TOKEN must be printable characters without spaces')

  const repository = flags.repository ?? (env.CI_REPO || null) ?? (await originOfGit(directory, env))
  if (repository === null) problems.push('--repository is missing: OWNER/NAME, as Woodpecker calls it')
  else if (!/^[\w.-]+(\/[\w.-]+)+$/.test(repository) || repository.split('/').some((part) => /^[.]+$/.test(part)))
    problems.push(`--repository must be OWNER/NAME, not ${quoted(repository)}`)

  const oneLine = (name: 'cron' | 'branch' | 'schedule' | 'timezone') => {
    const value = flags[name]
    if (value !== undefined && !/^[^\p{Cc}]{1,200}$/u.test(value.trim()))
      problems.push(`--${name} must be a text of one line, not ${quoted(value)}`)
    return value?.trim()
  }
  const schedule = oneLine('schedule') ?? '*/2 * * * *'
  if (!schedule.startsWith('@') && schedule.split(/\s+/).length !== 5)
    problems.push(`--schedule must have five fields, or begin with @, not ${quoted(schedule)}`)
  const timezone = oneLine('timezone') ?? 'UTC'
  const [cron, branch] = [oneLine('cron') ?? 'gitops_sync_check', oneLine('branch') ?? null]
  for (const name of flags.secret ?? [])
    if (!/^[\w.-]{1,200}$/.test(name)) problems.push(`--secret must be the name of a secret, not ${quoted(name)}`)
  if (problems.length > 0 || serverUrl === null || repository === null) throw new WrongSettings(problems)

  return {
    serverUrl: new URL(serverUrl).href.replace(/\/+$/, ''),
    token,
    request: {
      repository,
      cron,
      branch,
      schedule,
      timezone,
      secrets: flags.secret ?? secretsOfPipeline(directory),
      dryRun: flags['dry-run'] ?? false,
    },
    color: terminal && !flags['no-color'] && !env.NO_COLOR && env.TERM !== 'dumb',
  }
}

/** `owner/name` of `https://host/owner/name.git`, `git@host:owner/name.git` and `ssh://git@host:22/owner/name`. */
export function repositoryOfUrl(url: string): string | null {
  const path = /^[a-z+]+:\/\/[^/]+\/(.+)$/i.exec(url)?.[1] ?? /^[^/:]+:(?!\/)(.+)$/.exec(url)?.[1]
  return path?.replace(/\/+$/, '').replace(/[.]git$/, '') || null
}

async function originOfGit(directory: string, env: Env): Promise<string | null> {
  const url = await git(['config', '--get', 'remote.origin.url'], directory, env)
  return url === null ? null : repositoryOfUrl(url)
}

/**
 * The secrets of the step that reports: it alone runs for every event. What other steps and files use may well be for
 * pushes only. Read by lines, since no YAML parser is part of this program; --secret overrules it.
 */
function secretsOfPipeline(directory: string): readonly string[] {
  const ours = pipelineFiles(directory)
    .map((file) => readOr(() => readFileSync(join(directory, file), 'utf8'), '').replace(/^\s*#.*$/gm, ''))
    .filter((text) => text.includes(REPORTING))
  const steps = ours.flatMap((text) => text.split(/^(?=\s*- name:)/m)).filter((step) => step.includes(REPORTING))
  const inSteps = secretsIn(steps)
  // The environment may be shared by an anchor, and stand elsewhere.
  const found = inSteps.length > 0 ? inSteps : secretsIn(ours)
  return found.length > 0 ? found : ['SSH_PRIVATE_KEY']
}

const REPORTING = 'update-gitops-status'

function secretsIn(texts: readonly string[]): readonly string[] {
  const names = texts.flatMap((text) => [...text.matchAll(/\bfrom_secret:\s*["']?([\w.-]+)/g)])
  return [...new Set(names.map(([, name = '']) => name))]
}

function pipelineFiles(directory: string): readonly string[] {
  const inFolder = readOr(() => readdirSync(join(directory, '.woodpecker')), []).filter((name) =>
    /[.]ya?ml$/.test(name),
  )
  return [...inFolder.map((name) => `.woodpecker/${name}`), '.woodpecker.yaml', '.woodpecker.yml']
}

function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 60))
}
