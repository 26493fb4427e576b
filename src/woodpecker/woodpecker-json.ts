/** A field that older servers do not send is null: they do not know it. */
export interface Repository {
  readonly id: number
  readonly fullName: string
  readonly organisationId: number | null
  readonly defaultBranch: string | null
  readonly active: boolean
  /** Where the repository's settings say that the pipeline is; null: where Woodpecker looks by itself. */
  readonly configFile: string | null
}

export interface Cron {
  readonly id: number
  readonly name: string
  /** Empty: the default branch. */
  readonly branch: string
  readonly schedule: string
  /** Since 3.15. */
  readonly timezone: string | null
  /** Since 3.13. */
  readonly enabled: boolean | null
}

export interface Secret {
  readonly name: string
  readonly events: readonly string[]
  /** Only steps without commands may use it when this is not empty. */
  readonly images: readonly string[]
}

export class NotWoodpeckersAnswer extends Error {}

export function readRepository(json: unknown): Repository {
  const object = objectOf(json, 'the repository')
  return {
    id: idOf(object, 'the repository'),
    fullName: matching(FULL_NAME, object.full_name, 'the repository: full_name must be OWNER/NAME'),
    organisationId: Number.isSafeInteger(object.org_id) && object.org_id !== 0 ? (object.org_id as number) : null,
    defaultBranch: text(object.default_branch) || null,
    active: object.active !== false,
    configFile: text(object.config_file) || null,
  }
}

export function readCrons(json: unknown): readonly Cron[] {
  return listOf(json, 'the cron jobs').map((entry) => {
    const object = objectOf(entry, 'a cron job')
    return {
      id: idOf(object, 'a cron job'),
      name: text(object.name) ?? '',
      branch: text(object.branch) ?? '',
      schedule: text(object.schedule) ?? '',
      timezone: text(object.timezone),
      enabled: typeof object.enabled === 'boolean' ? object.enabled : null,
    }
  })
}

export function readSecrets(json: unknown): readonly Secret[] {
  return listOf(json, 'the secrets').map((entry) => {
    const object = objectOf(entry, 'a secret')
    const events = texts(object.events).map((event) => matching(EVENT, event, 'a secret: an event must be a word'))
    return { name: text(object.name) ?? '', events, images: texts(object.images) }
  })
}

// Both become a part of commands that people are told to copy into a shell.
const FULL_NAME = /^[\w.][\w.-]*(\/[\w.-]+)+$/
const EVENT = /^[a-z][a-z_]*$/

function matching(pattern: RegExp, value: unknown, rule: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new NotWoodpeckersAnswer(
    `${rule}, not ${JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value)}`,
  )
}

function objectOf(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NotWoodpeckersAnswer(`${what}: no object`)
  return json as Readonly<Record<string, unknown>> // checked above
}

// Go writes an empty list as null.
function listOf(json: unknown, what: string): readonly unknown[] {
  if (json === null) return []
  if (!Array.isArray(json)) throw new NotWoodpeckersAnswer(`${what}: no list`)
  return json
}

// It becomes a part of an address.
function idOf(object: Readonly<Record<string, unknown>>, what: string): number {
  if (!Number.isSafeInteger(object.id)) throw new NotWoodpeckersAnswer(`${what}: no id`)
  return object.id as number // checked above
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
