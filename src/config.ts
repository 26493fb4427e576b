import { closestWord } from './closest-word.ts'
import { isPostgres, sqlitePath } from './store/open-store.ts'
import { WrongSettings } from './wrong-settings.ts'

export interface Config {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly shutdownWaitMs: number
  readonly retentionMs: number
  readonly auth: AuthMode
  readonly anonymous: AnonymousMode
  /** Empty: none. */
  readonly tokensFile: string
}

const DAY_MS = 86_400_000

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['auto', 'json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export const AUTH_MODES = ['auto', 'required'] as const
export type AuthMode = (typeof AUTH_MODES)[number]

export const ANONYMOUS_MODES = ['read', 'none'] as const
export type AnonymousMode = (typeof ANONYMOUS_MODES)[number]

interface Setting<Value> {
  /** Also its name in the settings file. */
  readonly flag: string
  readonly env: string
  readonly default: string
  readonly description: string
  readonly example: string
  /** Throws an Error that says what is allowed. */
  readonly parse: (text: string) => Value
  /** May hold a secret: then it can also come from a file that `<env>_FILE` names, and is shown only so. */
  readonly mask?: (text: string) => string
}

/** Every setting. A new one: a line here. */
export const SETTINGS: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  port: {
    flag: 'port',
    env: 'GITOPS_STATUS_PORT',
    default: '8080',
    description: 'port to listen on; 0 takes any free one',
    example: '8080',
    parse: (text) => wholeNumber(text, 65_535),
  },
  host: {
    flag: 'host',
    env: 'GITOPS_STATUS_HOST',
    default: '127.0.0.1',
    description: 'address to listen on; 0.0.0.0 lets other machines in',
    example: '0.0.0.0',
    parse: (text) => {
      if (!/^[A-Za-z0-9.:-]+$/.test(text)) throw new Error('must be an address or a host name')
      return text
    },
  },
  databaseUrl: {
    flag: 'database-url',
    env: 'DATABASE_URL',
    default: 'sqlite:./gitops-status.db',
    description: 'where reports are kept: sqlite:PATH or postgres://USER@HOST/DATABASE',
    example: 'sqlite:/var/lib/gitops-status/gitops-status.db',
    mask: (text) => text.replace(/(:\/\/[^:/@]*):.*@/, '$1:***@').replace(/([?&]\w*password=)[^&]*/g, '$1***'),
    parse: (text) => {
      if (sqlitePath(text) === null && !isPostgres(text)) {
        throw new Error('must be sqlite: and the path of a file, or postgres://USER@HOST/DATABASE')
      }
      return text
    },
  },
  logLevel: {
    flag: 'log-level',
    env: 'GITOPS_STATUS_LOG_LEVEL',
    default: 'info',
    description: `least important line to log: ${LOG_LEVELS.join(', ')}`,
    example: 'debug',
    parse: (text) => oneOf(LOG_LEVELS, text),
  },
  logFormat: {
    flag: 'log-format',
    env: 'GITOPS_STATUS_LOG_FORMAT',
    default: 'auto',
    description: `${LOG_FORMATS.join(', ')}; auto is text on a terminal and json elsewhere`,
    example: 'json',
    parse: (text) => oneOf(LOG_FORMATS, text),
  },
  shutdownWaitMs: {
    flag: 'shutdown-wait',
    env: 'GITOPS_STATUS_SHUTDOWN_WAIT',
    default: '1',
    description: 'seconds to go on serving after "not ready", for load balancers to notice',
    example: '5',
    parse: (text) => wholeNumber(text, 600) * 1_000,
  },
  retentionMs: {
    flag: 'retention-days',
    env: 'GITOPS_STATUS_RETENTION_DAYS',
    default: '365',
    description: 'days for which history is kept; 0 keeps everything. What is known now always stays',
    example: '90',
    parse: (text) => wholeNumber(text, 36_500) * DAY_MS,
  },
  auth: {
    flag: 'auth',
    env: 'GITOPS_STATUS_AUTH',
    default: 'auto',
    description: 'required: only tokens may report; auto: anybody may until the first token is made',
    example: 'required',
    parse: (text) => oneOf(AUTH_MODES, text),
  },
  anonymous: {
    flag: 'anonymous',
    env: 'GITOPS_STATUS_ANONYMOUS',
    default: 'read',
    description: 'what those without a token may do once there are tokens: read, or none',
    example: 'none',
    parse: (text) => oneOf(ANONYMOUS_MODES, text),
  },
  tokensFile: {
    flag: 'tokens-file',
    env: 'GITOPS_STATUS_TOKENS_FILE',
    default: '',
    description: 'JSON file with tokens as digests, read again when it changes (docs/access.md)',
    example: '/etc/gitops-status/tokens.json',
    parse: (text) => text,
  },
}

/** Flags that are not settings. */
export const ACTIONS = {
  help: 'show this',
  version: 'show the version',
  'check-config': 'say whether the settings are right, and start nothing',
  'print-config': 'show each setting and where it came from, secrets masked',
  backup: 'copy the database into FILE, while a server goes on writing to it',
}

// What the one action that needs something is given.
const BACKUP_TAKES = 'FILE'

const CONFIG_FILE = { flag: 'config', env: 'GITOPS_STATUS_CONFIG' }

// The reporter's own; on one machine both may be set.
const REPORTER_VARIABLES = ['SERVER_URL', 'TOKEN', 'RUN_ID', 'TIMEOUT', 'INTERVAL', 'ANNOUNCED'].map(
  (name) => `GITOPS_STATUS_${name}`,
)

export interface Surroundings {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
}

export type Action = keyof typeof ACTIONS

export type LoadedConfig = { readonly action: 'help' | 'version' } | GoodConfig

export interface GoodConfig {
  readonly action: Exclude<Action, 'help' | 'version'> | null
  /** The file that `--backup` names. */
  readonly backupTo: string
  readonly config: Config
  readonly warnings: readonly string[]
  /** One line for each setting: what it is and where it came from. */
  readonly described: readonly string[]
}

interface Given {
  readonly text: string
  readonly origin: string
}

/**
 * Finds each setting: flag before environment before file before default.
 *
 * @throws WrongSettings
 */
export function loadConfig({ argv, env, readFile }: Surroundings): LoadedConfig {
  const problems: string[] = []
  const { flags, action, backupTo } = readFlags(argv, problems)
  if (action === 'help' || action === 'version') return { action } // also for whoever came here by a wrong setting

  const file = readConfigFile(flags.get(CONFIG_FILE.flag) ?? env[CONFIG_FILE.env], readFile, problems)
  const described: string[] = []

  function find<Value>(setting: Setting<Value>): Value | undefined {
    const given = fromFlag(setting) ?? fromEnvironment(setting) ?? file(setting.flag) ?? fromDefault(setting)
    try {
      const value = setting.parse(given.text)
      const shown = setting.mask?.(given.text) ?? given.text
      described.push(`${setting.flag.padEnd(14)} ${shown.padEnd(34)} ${given.origin}`)
      return value
    } catch (error) {
      const shown = JSON.stringify(setting.mask?.(given.text) ?? given.text)
      problems.push(`${given.origin}: ${messageOf(error)}; got ${shown}`)
      return undefined
    }
  }

  function fromFlag({ flag }: Setting<unknown>): Given | undefined {
    const text = flags.get(flag)
    return text === undefined ? undefined : { text, origin: `--${flag}` }
  }

  function fromEnvironment({ env: name, mask }: Setting<unknown>): Given | undefined {
    const text = env[name]
    if (text !== undefined && text !== '') return { text, origin: name }
    const path = mask && env[`${name}_FILE`]
    if (!path) return undefined
    try {
      return { text: readFile(path).trim(), origin: `${name}_FILE` }
    } catch (error) {
      problems.push(`${name}_FILE: cannot be read: ${messageOf(error)}`)
      return undefined
    }
  }

  const found = Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, find<unknown>(setting)]))
  if (problems.length > 0) throw new WrongSettings(problems)
  return {
    config: found as unknown as Config, // each value came from the parser of its name, and none is missing
    action,
    backupTo,
    warnings: unknownVariables(env),
    described,
  }
}

function fromDefault(setting: Setting<unknown>): Given {
  return { text: setting.default, origin: 'default' }
}

function readFlags(argv: readonly string[], problems: string[]) {
  const flags = new Map<string, string>()
  const takesValue = [...Object.values(SETTINGS).map(({ flag }) => flag), CONFIG_FILE.flag]
  const known = [...takesValue, ...Object.keys(ACTIONS)].map((flag) => `--${flag}`)
  let action: Action | null = null
  let backupTo = ''

  const rest = [...argv]
  for (let given = rest.shift(); given !== undefined; given = rest.shift()) {
    const [, name = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(given === '-h' ? '--help' : given) ?? []
    if (name === 'backup') {
      action ??= name
      backupTo = inline ?? rest.shift() ?? ''
      if (backupTo === '') problems.push(`--${name}: needs the name of a file that is not there yet`)
    } else if (isAction(name) && inline === undefined) {
      action ??= name
    } else if (takesValue.includes(name)) {
      const value = inline ?? rest.shift()
      if (value === undefined) problems.push(`--${name}: needs a value`)
      else flags.set(name, value)
    } else {
      problems.push(`${given}: is not an option${guess(`--${name}`, known)}`)
      if (inline === undefined && !rest[0]?.startsWith('-')) rest.shift() // most likely its value
    }
  }
  return { flags, action, backupTo }
}

function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name)
}

function readConfigFile(path: string | undefined, readFile: (path: string) => string, problems: string[]) {
  const settings = new Map<string, Given>()
  if (path) {
    try {
      const content: unknown = JSON.parse(readFile(path))
      if (typeof content !== 'object' || content === null || Array.isArray(content))
        throw new Error('must be an object')
      const known = Object.values(SETTINGS).map(({ flag }) => flag)
      for (const [name, value] of Object.entries(content)) {
        if (!known.includes(name)) problems.push(`${path}: "${name}" is not a setting${guess(name, known)}`)
        else settings.set(name, { text: String(value), origin: `${path}: "${name}"` })
      }
    } catch (error) {
      problems.push(`${path}: cannot be used: ${messageOf(error)}`)
    }
  }
  return (name: string) => settings.get(name)
}

function unknownVariables(env: Surroundings['env']): string[] {
  const ours = Object.values(SETTINGS)
    .map((setting) => setting.env)
    .concat(CONFIG_FILE.env)
  const known = [...ours, ...REPORTER_VARIABLES].flatMap((name) => [name, `${name}_FILE`])
  return Object.keys(env)
    .filter((name) => name.startsWith('GITOPS_STATUS_') && !known.includes(name))
    .map((name) => `${name} is not a setting${guess(name, ours)}`)
}

/** The help text, with examples first. */
export function helpText(): string {
  const rows = Object.values(SETTINGS).map(
    (setting) =>
      `  --${`${setting.flag} ${setting.default}`.padEnd(42)} ${setting.description}\n${' '.repeat(47)}${setting.env}${setting.mask ? ` or ${setting.env}_FILE` : ''}`,
  )
  const actions = Object.entries(ACTIONS).map(([flag, description]) => {
    const usage = flag === 'backup' ? `${flag} ${BACKUP_TAKES}` : flag
    return `  --${usage.padEnd(42)} ${description}`
  })
  return `gitops-status-server takes drift reports, remembers them and shows them.

Examples
  gitops-status-server
  gitops-status-server --port 8080 --host 0.0.0.0 --database-url sqlite:/var/lib/gitops-status/gitops-status.db
  GITOPS_STATUS_PORT=8080 gitops-status-server
  gitops-status-server token create --repo rsyslog --server 'rsyslog-*' --scope write --expires 1y

Settings (shown with their defaults): a flag comes before the environment, before the file, before the default
${rows.join('\n')}
  --${'config FILE'.padEnd(42)} JSON file with settings by the names of the flags
${' '.repeat(47)}${CONFIG_FILE.env}

Instead of starting
  ${'token'.padEnd(44)} make, list, revoke and rotate tokens: see token --help
${actions.join('\n')}

Exit codes: 0 stopped as asked, 1 cannot start or failed, 64 wrong settings
`
}

function oneOf<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text)
  if (found === undefined) throw new Error(`must be one of ${names.join(', ')}`)
  return found
}

function wholeNumber(text: string, max: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) > max) throw new Error(`must be a whole number from 0 to ${max}`)
  return Number(text)
}

function guess(wrong: string, known: readonly string[]): string {
  const nearest = closestWord(wrong, known)
  return nearest === undefined ? '' : `: did you mean ${nearest}?`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
