import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../drift/check-error.ts'
import type { FastSettings } from '../drift/with-baselines.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { type Flags, type FlagValues, readFlags } from './flags.ts'
import { type Pushgateway, TAKEN_METRICS } from './pushgateway.ts'
import { isTargetName } from './report-body.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface Settings {
  readonly serverUrl: string | null
  readonly repo: string | null
  /** SERVER_NAME; null: every host of the inventory under its own name. */
  readonly onlyHost: string | null
  readonly token: string | null
  readonly pushgateway: Pushgateway | null
  readonly privateKey: string | null
  readonly knownHosts: { readonly text: string | null; readonly file: string | null }
  readonly playbook: string
  readonly inventory: string
  readonly timeoutMs: number
  readonly intervalSeconds: number | null
  readonly passEnv: readonly string[]
  /** Null: every check is a full one. */
  readonly fast: FastSettings | null
  /** In percent; null: however little was checked. */
  readonly minCoverage: number | null
  /** Whether reports say how files differ, line by line. */
  readonly diff: boolean
  /** What the fingerprints of redacted secrets are made with; null: they have none. */
  readonly diffKey: string | null
  readonly ansibleArgs: readonly string[]
  readonly dryRun: boolean
  readonly output: 'text' | 'json'
  readonly detailedExitcode: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly color: boolean
}

/** Every flag of `report`, `check` and `doctor`: flag before environment before default. Secrets are never flags. */
export const FLAGS = {
  playbook: {
    type: 'string',
    value: 'FILE',
    help: 'the playbook to run in check mode (ansible/playbooks/drift-check.yml)',
  },
  inventory: { type: 'string', value: 'FILE', help: 'the inventory (ansible/inventory/hosts.yml)' },
  timeout: { type: 'string', value: 'SECONDS', help: 'end a check that takes longer (600; GITOPS_STATUS_TIMEOUT)' },
  interval: { type: 'string', value: 'SECONDS', help: 'how often you report (server: 120; GITOPS_STATUS_INTERVAL)' },
  'pass-env': {
    type: 'string',
    value: 'NAME',
    multiple: true,
    help: 'pass this variable on to Ansible; may be repeated',
  },
  fast: {
    type: 'boolean',
    help: 'look at files against a certified baseline; Ansible only where that does not do (GITOPS_STATUS_FAST=1)',
  },
  'full-every': {
    type: 'string',
    value: 'SECONDS',
    help: 'with --fast: full check of a server at least so often (900; GITOPS_STATUS_FULL_EVERY)',
  },
  'state-dir': {
    type: 'string',
    value: 'DIRECTORY',
    help: 'with --fast: where baselines are kept (~/.local/state/gitops-status; GITOPS_STATUS_STATE_DIR)',
  },
  'no-blame': {
    type: 'boolean',
    help: 'with --fast: do not ask servers who changed their files (GITOPS_STATUS_BLAME=0)',
  },
  'min-coverage': {
    type: 'string',
    value: 'PERCENT',
    help: 'UNKNOWN instead of SYNCED when less of the playbook was checked (GITOPS_STATUS_MIN_COVERAGE)',
  },
  diff: { type: 'boolean', help: 'report how files differ, without their secrets (GITOPS_STATUS_DIFF=1)' },
  pushgateway: {
    type: 'string',
    value: 'URL',
    help: 'push to this Pushgateway as well, while you move off it (GITOPS_STATUS_PUSHGATEWAY_URL)',
  },
  'pushgateway-job': { type: 'string', value: 'NAME', help: 'under this job (gitops_sync_check; …_PUSHGATEWAY_JOB)' },
  'pushgateway-metric': {
    type: 'string',
    value: 'NAME',
    help: 'the sync status under this name (gitops_sync_status; …_PUSHGATEWAY_METRIC)',
  },
  'pushgateway-synced': { type: 'string', value: '0|1', help: 'the number for SYNCED (0; …_PUSHGATEWAY_SYNCED)' },
  'dry-run': { type: 'boolean', help: 'run the check and print what would be sent' },
  output: { type: 'string', value: 'text|json', help: 'form of the result on standard output (text)' },
  'detailed-exitcode': { type: 'boolean', help: 'exit with 2 when there is drift' },
  quiet: { type: 'boolean', short: 'q', help: 'say nothing unless something is wrong' },
  verbose: { type: 'boolean', short: 'v', help: 'also show what Ansible printed (it may hold contents of files)' },
  'no-color': { type: 'boolean', help: 'no colours (also: NO_COLOR)' },
  help: { type: 'boolean', short: 'h', help: 'show this' },
} as const satisfies Flags

const DEFAULT_TIMEOUT_SECONDS = 600
const DEFAULT_FULL_EVERY_SECONDS = 900
// Shorter ones are guessed.
const MIN_KEY_LENGTH = 32
// A timer of Node's that is set to more than 24 days goes off at once.
const MAX_TIMEOUT_SECONDS = 7 * 86_400
// contract/report.ts has the rule.
const MAX_INTERVAL_SECONDS = 31 * 86_400
// Ansible's --limit also takes patterns and files, and `all`; a name has none of their characters.
export const HOST = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/

/**
 * @param terminal Whether standard output is one.
 * @throws WrongSettings
 */
export function readSettings(args: readonly string[], env: Env, terminal: boolean): Settings & { help: boolean } {
  const problems: string[] = []
  const settings = settingsFrom(readOwnFlags(FLAGS, args, problems), { args, env, terminal }, problems)
  if (problems.length > 0) throw new WrongSettings(problems)
  return settings
}

/** What stands before `--`. */
export function readOwnFlags<F extends Flags>(flags: F, args: readonly string[], problems: string[]): FlagValues<F> {
  return readFlags(flags, beforeDoubleDash(args), problems, 'arguments for ansible-playbook go after --')
}

function beforeDoubleDash(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  return end === -1 ? args : args.slice(0, end)
}

/** All that is wrong is added to `problems`. */
export function settingsFrom(
  values: FlagValues<typeof FLAGS>,
  { args, env, terminal }: { readonly args: readonly string[]; readonly env: Env; readonly terminal: boolean },
  problems: string[],
): Settings & { help: boolean } {
  const end = args.indexOf('--')
  const given = (name: string) => (env[name] === undefined || env[name] === '' ? null : env[name])

  const serverUrl = given('GITOPS_STATUS_SERVER_URL')
  const urlProblem = serverUrl === null ? null : problemWithUrl(serverUrl)
  if (urlProblem !== null) problems.push(`GITOPS_STATUS_SERVER_URL ${urlProblem}`)

  const repo = given('REPO_NAME')
  if (repo !== null && !isTargetName(repo)) {
    problems.push(`REPO_NAME must be letters, digits and any of . _ - / : @, not ${JSON.stringify(repo.slice(0, 60))}`)
  }
  const onlyHost = given('SERVER_NAME')
  if (onlyHost !== null && !HOST.test(onlyHost)) {
    problems.push(`SERVER_NAME must be one host name of the inventory, not ${JSON.stringify(onlyHost.slice(0, 60))}`)
  }
  if (values.output !== undefined && values.output !== 'text' && values.output !== 'json') {
    problems.push(`--output must be text or json, not ${JSON.stringify(values.output)}`)
  }

  if (given('SSH_KNOWN_HOSTS') !== null && given('SSH_KNOWN_HOSTS_FILE') !== null) {
    problems.push('SSH_KNOWN_HOSTS and SSH_KNOWN_HOSTS_FILE are both set; use one of them')
  }

  const diff = given('GITOPS_STATUS_DIFF')
  if (diff !== null && diff !== '0' && diff !== '1') {
    problems.push(`GITOPS_STATUS_DIFF must be 0 or 1, not ${JSON.stringify(printable(diff).slice(0, 60))}`)
  }
  const diffKey = secret('GITOPS_STATUS_DIFF_KEY', env, problems)?.trim() ?? null
  if (diffKey !== null && diffKey.length < MIN_KEY_LENGTH) {
    problems.push(`GITOPS_STATUS_DIFF_KEY must have ${MIN_KEY_LENGTH} characters or more, as of: openssl rand -hex 32`)
  }
  const privateKey = secret('SSH_PRIVATE_KEY', env, problems)

  const settings = {
    serverUrl: serverUrl === null || urlProblem !== null ? null : withoutSlash(serverUrl),
    repo,
    onlyHost,
    token: secret('GITOPS_STATUS_TOKEN', env, problems)?.trim() ?? null,
    pushgateway: pushgateway(values, env, problems),
    privateKey,
    knownHosts: { text: given('SSH_KNOWN_HOSTS'), file: given('SSH_KNOWN_HOSTS_FILE') },
    playbook: values.playbook ?? 'ansible/playbooks/drift-check.yml',
    inventory: values.inventory ?? 'ansible/inventory/hosts.yml',
    timeoutMs:
      1000 *
      (seconds({ flag: values.timeout, env, name: 'TIMEOUT', max: MAX_TIMEOUT_SECONDS }, problems) ??
        DEFAULT_TIMEOUT_SECONDS),
    intervalSeconds: seconds({ flag: values.interval, env, name: 'INTERVAL', max: MAX_INTERVAL_SECONDS }, problems),
    passEnv: values['pass-env'] ?? [],
    fast: fast(values, env, problems),
    minCoverage: wholeNumber(
      { flag: values['min-coverage'], env, name: 'MIN_COVERAGE', what: 'a whole number of percent', max: 100 },
      problems,
    ),
    diff: values.diff ?? diff === '1',
    // The key for the servers is as secret, and the same at each run: one setting less.
    diffKey: diffKey ?? privateKey,
    ansibleArgs: end === -1 ? [] : args.slice(end + 1),
    dryRun: values['dry-run'] ?? false,
    output: values.output === 'json' ? 'json' : 'text',
    detailedExitcode: values['detailed-exitcode'] ?? false,
    quiet: values.quiet ?? false,
    verbose: values.verbose ?? false,
    color: terminal && !values['no-color'] && given('NO_COLOR') === null && env.TERM !== 'dumb',
    help: values.help ?? false,
  } as const
  if (settings.token !== null && !/^[\x21-\x7e]+$/.test(settings.token)) {
    problems.push('GITOPS_STATUS_TOKEN must be printable characters without spaces')
  }
  return settings
}

/** A secret from NAME, or from the file that NAME_FILE names. */
export function secret(name: string, env: Env, problems: string[]): string | null {
  const value = env[name] || null
  const file = env[`${name}_FILE`] || null
  if (value !== null && file !== null) problems.push(`${name} and ${name}_FILE are both set; use one of them`)
  if (file === null) return value
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    problems.push(`${name}_FILE cannot be read: ${error instanceof Error ? error.message : file}`)
    return null
  }
}

/** Null when neither the flag nor the environment asks for a fast check; its other settings are then of no interest. */
function fast(
  values: {
    readonly fast?: boolean
    readonly 'full-every'?: string
    readonly 'state-dir'?: string
    readonly 'no-blame'?: boolean
  },
  env: Env,
  problems: string[],
): FastSettings | null {
  const asked = env.GITOPS_STATUS_FAST ?? ''
  if (!['', '0', '1'].includes(asked)) {
    problems.push(`GITOPS_STATUS_FAST must be 1 or 0, not ${JSON.stringify(printable(asked).slice(0, 60))}`)
  }
  if (!values.fast && asked !== '1') return null

  const key = secret('GITOPS_STATUS_BASELINE_KEY', env, problems)?.trim() ?? null
  if (key !== null && key.length < MIN_KEY_LENGTH) {
    problems.push(`GITOPS_STATUS_BASELINE_KEY must have at least ${MIN_KEY_LENGTH} characters`)
  }
  const stateDirectory = values['state-dir'] ?? (env.GITOPS_STATUS_STATE_DIR || defaultStateDirectory(env))
  if (stateDirectory === null || stateDirectory === '') problems.push('--fast needs --state-dir, or HOME')
  const fullEvery = seconds({ flag: values['full-every'], env, name: 'FULL_EVERY', max: MAX_TIMEOUT_SECONDS }, problems)
  const blame = env.GITOPS_STATUS_BLAME ?? ''
  if (!['', '0', '1'].includes(blame)) {
    problems.push(`GITOPS_STATUS_BLAME must be 1 or 0, not ${JSON.stringify(printable(blame).slice(0, 60))}`)
  }
  return {
    stateDirectory: stateDirectory ?? '',
    key,
    fullEveryMs: 1000 * (fullEvery ?? DEFAULT_FULL_EVERY_SECONDS),
    blame: !values['no-blame'] && blame !== '0',
  }
}

/** https://specifications.freedesktop.org/basedir-spec/latest/: what is not absolute there does not count. */
function defaultStateDirectory({ XDG_STATE_HOME = '', HOME = '' }: Env): string | null {
  if (XDG_STATE_HOME.startsWith('/')) return join(XDG_STATE_HOME, 'gitops-status')
  return HOME.startsWith('/') ? join(HOME, '.local/state/gitops-status') : null
}

interface Numeric {
  readonly flag: string | undefined
  readonly env: Env
  readonly name: 'TIMEOUT' | 'INTERVAL' | 'FULL_EVERY' | 'MIN_COVERAGE' | 'LOOK_EVERY'
  readonly max: number
}

export function seconds(options: Numeric, problems: string[]): number | null {
  return wholeNumber({ ...options, what: 'a whole number of seconds' }, problems)
}

function wholeNumber(
  { flag, env, name, max, what }: Numeric & { readonly what: string },
  problems: string[],
): number | null {
  const value = flag ?? env[`GITOPS_STATUS_${name}`] ?? ''
  if (flag === undefined && value === '') return null
  if (/^[1-9]\d{0,6}$/.test(value) && Number(value) <= max) return Number(value)

  const where = flag === undefined ? `GITOPS_STATUS_${name}` : `--${name.toLowerCase().replace('_', '-')}`
  problems.push(`${where} must be ${what} from 1 to ${max}, not ${JSON.stringify(value.slice(0, 60))}`)
  return null
}

export function problemWithUrl(value: string, secretName = 'GITOPS_STATUS_TOKEN'): string | null {
  // A host and a port alone parse, too: as a protocol and a path.
  if (!/^\s*https?:\/\//i.test(value)) {
    const rest = printable(value).replace(/^.*:\/\//, '')
    return `must begin with https:// or http://, as in http://${rest.slice(0, 60)}`
  }
  if (!URL.canParse(value)) return 'is not a URL'
  const { pathname, username, password, search, hash } = new URL(value)
  if (/\/api\/status\/?$/.test(pathname)) return 'must end before /api/status, which is added to it'
  if (username !== '' || password !== '') return `must not hold a password; use ${secretName}`
  if (search !== '' || hash !== '') return 'must end with the path, without ? or #'
  return null
}

function withoutSlash(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}

type PushgatewayFlag = `pushgateway${'' | '-job' | '-metric' | '-synced'}`

/** Null without an address; the other settings of it are then of no interest. */
function pushgateway(
  values: { readonly [Flag in PushgatewayFlag]?: string },
  env: Env,
  problems: string[],
): Pushgateway | null {
  const setting = (flag: PushgatewayFlag, name: string, fallback: string) => {
    const variable = `GITOPS_STATUS_PUSHGATEWAY_${name}`
    return values[flag] === undefined
      ? { what: variable, value: env[variable] || fallback }
      : { what: `--${flag}`, value: values[flag] }
  }
  const url = setting('pushgateway', 'URL', '')
  if (url.what !== '--pushgateway' && url.value === '') return null

  const job = setting('pushgateway-job', 'JOB', 'gitops_sync_check')
  const metric = setting('pushgateway-metric', 'METRIC', 'gitops_sync_status')
  const synced = setting('pushgateway-synced', 'SYNCED', '0')
  const refuse = ({ what, value }: { what: string; value: string }, rule: string) =>
    problems.push(`${what} ${rule}, not ${JSON.stringify(printable(value).slice(0, 60))}`)

  const urlProblem = problemWithUrl(url.value, 'GITOPS_STATUS_PUSHGATEWAY_AUTH')
  if (urlProblem !== null) problems.push(`${url.what} ${urlProblem}`)
  if (!/^[^\p{Cc}\p{Cs}]{1,253}$/u.test(job.value)) refuse(job, 'must be 1 to 253 characters of one line')
  if (!/^[A-Za-z_:][A-Za-z0-9_:]{0,252}$/.test(metric.value)) refuse(metric, 'must be the name of a metric')
  if (TAKEN_METRICS.includes(metric.value)) refuse(metric, 'must be a name that nothing else has')
  if (synced.value !== '0' && synced.value !== '1') refuse(synced, 'must be 0 or 1')
  const auth = secret('GITOPS_STATUS_PUSHGATEWAY_AUTH', env, problems)?.trim() ?? null
  if (auth !== null && !/^[^:]+:/.test(auth)) problems.push('GITOPS_STATUS_PUSHGATEWAY_AUTH must be user:password')
  return {
    url: urlProblem === null ? withoutSlash(url.value) : '',
    auth,
    job: job.value,
    metric: metric.value,
    syncedValue: synced.value === '1' ? 1 : 0,
  }
}
