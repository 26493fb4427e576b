import { type CronFields, type Woodpecker, WoodpeckerError } from './woodpecker-api.ts'
import { type Cron, NotWoodpeckersAnswer, type Repository, type Secret } from './woodpecker-json.ts'

export interface SetupRequest {
  /** `owner/name` */
  readonly repository: string
  readonly cron: string
  /** null: the default branch of the repository. */
  readonly branch: string | null
  readonly schedule: string
  readonly timezone: string
  /** Names of the secrets that the pipeline uses. */
  readonly secrets: readonly string[]
  /** Only say what would be done. */
  readonly dryRun: boolean
}

export interface Finding {
  readonly what: string
  readonly outcome: 'ok' | 'done' | 'to do' | 'wrong' | 'unseen'
  readonly detail: string
  /** What to do about it. */
  readonly hint?: string
}

// What the pipeline uses its secrets for: the deploy, the cron job, a run by hand. Woodpecker allows none but the
// first by itself, and a pipeline for the other two then fails before its first step.
const NEEDED_EVENTS = ['push', 'cron', 'manual']
// With these, whoever opens a pull request can print the secret.
const PULL_REQUESTS = ['pull_request', 'pull_request_closed', 'pull_request_metadata']

/** Makes or mends the cron job, looks at the secrets, and says all of it. Never rejects for what Woodpecker answers. */
export async function* setUpWoodpecker(woodpecker: Woodpecker, request: SetupRequest): AsyncGenerator<Finding> {
  try {
    yield versionFinding(await woodpecker.version())
    await woodpecker.checkToken()
    const repository = await woodpecker.repository(request.repository).catch((error: unknown) => {
      throw error instanceof WoodpeckerError && error.status === 404 ? unknownRepository(request.repository) : error
    })
    yield repositoryFinding(repository)
    if (!repository.active) return
    if (repository.configFile !== null) yield configFinding(repository, repository.configFile)
    yield await cronFinding(woodpecker, repository, request)
    yield* secretFindings(woodpecker, repository, request.secrets)
  } catch (error) {
    yield failure(error)
  }
}

function failure(error: unknown): Finding {
  const what = 'Woodpecker'
  if (error instanceof SetupStopped) return error.finding
  if (error instanceof NotWoodpeckersAnswer)
    return { what, outcome: 'wrong', detail: `its answer was not understood: ${error.message}` }
  if (!(error instanceof WoodpeckerError)) throw error
  if (error.status === 401) {
    const hint = 'Make a new one in Woodpecker, user settings, CLI & API, and set WOODPECKER_TOKEN to it'
    return { what: 'Token', outcome: 'wrong', detail: 'Woodpecker does not take it', hint }
  }
  return { what, outcome: 'wrong', detail: error.message }
}

class SetupStopped extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super(finding.detail)
    this.finding = finding
  }
}

function unknownRepository(name: string): SetupStopped {
  return new SetupStopped({
    what: 'Repository',
    outcome: 'wrong',
    detail: `Woodpecker does not know ${name}, or does not show it to this user`,
    hint: 'Enable it in Woodpecker, or name it with --repository OWNER/NAME',
  })
}

function versionFinding(version: string | null): Finding {
  const what = 'Woodpecker'
  if (version === null) return { what, outcome: 'ok', detail: 'of a version that it does not say' }
  const major = /^v?(\d+)\./.exec(version)?.[1]
  if (major !== undefined && Number(major) < 3) {
    const hint = 'Its cron jobs have six fields, and its pipelines another form. Update it to 3'
    return { what, outcome: 'wrong', detail: `${version} is too old: the pipeline is for Woodpecker 3`, hint }
  }
  return { what, outcome: 'ok', detail: version }
}

function repositoryFinding({ fullName: name, active, defaultBranch }: Repository): Finding {
  const what = 'Repository'
  if (!active) {
    const hint = 'Enable it in Woodpecker'
    return { what, outcome: 'wrong', detail: `${name} is not enabled`, hint }
  }
  return { what, outcome: 'ok', detail: defaultBranch === null ? name : `${name}, default branch ${defaultBranch}` }
}

function configFinding({ fullName }: Repository, configFile: string): Finding {
  const what = 'Pipeline file'
  if (configFile === '.woodpecker.yml') return { what, outcome: 'ok', detail: configFile }
  const detail = `${fullName} has its pipeline in ${configFile}; a .woodpecker.yml is not read`
  return { what, outcome: 'wrong', detail, hint: 'Clear "Pipeline path" in the settings of the repository' }
}

async function cronFinding(woodpecker: Woodpecker, repository: Repository, request: SetupRequest): Promise<Finding> {
  const what = `Cron job ${request.cron}`
  const branch = request.branch ?? repository.defaultBranch
  if (branch === null) {
    const detail = 'Woodpecker does not say which branch is the default one'
    return { what, outcome: 'wrong', detail, hint: 'Name it with --branch' }
  }
  const { cron: name, schedule, timezone, dryRun } = request
  const wanted: CronFields = { name, branch, schedule, timezone, enabled: true }
  try {
    const existing = (await woodpecker.crons(repository)).find((cron) => cron.name === name)
    const differing = existing === undefined ? null : differencesOf(existing, wanted, repository)
    if (existing !== undefined && differing !== null && Object.keys(differing).length === 0)
      return held(what, existing, wanted, { outcome: 'ok', verb: '' }, repository)
    if (existing === undefined) {
      if (dryRun) return { what, outcome: 'to do', detail: `would be made: ${describe(wanted)}` }
      const made = await woodpecker.createCron(repository, wanted)
      return held(what, made, wanted, { outcome: 'done', verb: 'made: ' }, repository)
    }
    const change = changeText(existing, differing ?? {})
    if (dryRun) return { what, outcome: 'to do', detail: `would be changed: ${change}` }
    const changed = await woodpecker.changeCron(repository, existing, differing ?? {})
    return held(what, changed, wanted, { outcome: 'done', verb: `changed: ${change}; now ` }, repository)
  } catch (error) {
    if (!(error instanceof WoodpeckerError) || error.status === null || error.status === 401) throw error
    return { what, outcome: 'wrong', ...refusal(error, wanted) }
  }
}

/** What differs from what is wanted, as a PATCH takes it. What an older server does not know is no difference. */
function differencesOf(cron: Cron, wanted: CronFields, { defaultBranch }: Repository): Partial<CronFields> {
  const branch = cron.branch === '' ? defaultBranch : cron.branch
  return {
    ...(branch !== wanted.branch && { branch: wanted.branch }),
    ...(cron.schedule !== wanted.schedule && { schedule: wanted.schedule }),
    ...(cron.timezone !== null && (cron.timezone || 'UTC') !== wanted.timezone && { timezone: wanted.timezone }),
    ...(cron.enabled === false && { enabled: true }),
  }
}

/** Believes what Woodpecker answers, not what it was asked for. */
function held(
  what: string,
  cron: Cron,
  wanted: CronFields,
  { outcome, verb }: { readonly outcome: 'ok' | 'done'; readonly verb: string },
  repository: Repository,
): Finding {
  const ignored = Object.keys(differencesOf(cron, wanted, repository))
  if (ignored.length > 0) {
    const detail = `Woodpecker did not take ${ignored.join(' and ')}: ${describe(cron)}`
    return { what, outcome: 'wrong', detail, hint: 'Set it in Woodpecker, repository settings, Cron' }
  }
  if (cron.timezone === null && wanted.timezone !== 'UTC') {
    const detail = `this Woodpecker knows no time zones for cron jobs (3.15 does): ${describe(cron)} counts in UTC`
    return { what, outcome: 'wrong', detail, hint: 'Write the schedule for UTC, and leave out --timezone' }
  }
  return { what, outcome, detail: `${verb}${describe(cron)}` }
}

function describe({ schedule, branch, timezone }: Pick<Cron, 'schedule' | 'branch' | 'timezone'>): string {
  return [`"${schedule}"`, `on ${branch === '' ? 'the default branch' : branch}`, ...(timezone ? [timezone] : [])].join(
    ', ',
  )
}

function changeText(cron: Cron, change: Partial<CronFields>): string {
  return Object.entries(change)
    .map(([name, value]) => `${name} ${JSON.stringify(cron[name as keyof Cron])} to ${JSON.stringify(value)}`)
    .join(', ')
}

function refusal({ message, status }: WoodpeckerError, { branch }: CronFields): Pick<Finding, 'detail' | 'hint'> {
  if (status === 404) {
    const hint = 'The user of WOODPECKER_TOKEN must be allowed to push to the repository'
    return { detail: 'this user may not see the cron jobs', hint }
  }
  if (status === 409) return { detail: message, hint: 'Somebody made it at the same moment: run this again' }
  if (/branch not resolved/.test(message))
    return { detail: message, hint: `Is there a branch ${branch}? Name it with --branch` }
  return { detail: message }
}

async function* secretFindings(
  woodpecker: Woodpecker,
  repository: Repository,
  names: readonly string[],
): AsyncGenerator<Finding> {
  const own = await woodpecker.secrets(repository).catch((error: unknown) => {
    if (error instanceof WoodpeckerError && error.status === 404) return null
    throw error
  })
  if (own === null) {
    const hint = 'The user of WOODPECKER_TOKEN must be allowed to push to the repository'
    yield { what: 'Secrets', outcome: 'wrong', detail: 'this user may not see them', hint }
    return
  }
  // Woodpecker looks for a name in small letters, in the repository first, then further out.
  const named = (list: readonly Secret[] | null, name: string) =>
    list?.find((secret) => secret.name.toLowerCase() === name.toLowerCase())
  const shared = names.every((name) => named(own, name)) ? null : await woodpecker.sharedSecrets(repository)
  for (const name of names) {
    const places = [
      { list: own, place: 'repository settings, Secrets', option: `--repository ${repository.fullName}` },
      { list: shared?.organisation ?? null, place: 'settings of the organisation, Secrets', option: null },
      { list: shared?.server ?? null, place: 'admin settings, Secrets', option: null },
    ]
    const found = places.find(({ list }) => named(list, name))
    const secret = named(found?.list ?? null, name)
    yield secret === undefined || found === undefined
      ? missingSecret(name, repository, shared?.organisation === null)
      : secretFinding(name, secret, found)
  }
}

function missingSecret(name: string, { fullName }: Repository, organisationUnseen: boolean): Finding {
  const what = `Secret ${name}`
  const option = `--repository ${fullName} --name ${name} --value @FILE${eventOptions(NEEDED_EVENTS)}`
  const hint = `Make it in Woodpecker, repository settings, Secrets, for push, cron and manual; or: woodpecker-cli repo secret add ${option}`
  return organisationUnseen
    ? {
        what,
        outcome: 'unseen',
        detail: 'is not in the repository; this user may not see those of the organisation',
        hint: `Is it there, and allowed for push, cron and manual? If not: ${hint}`,
      }
    : { what, outcome: 'wrong', detail: 'is missing: a pipeline that uses it fails before its first step', hint }
}

function secretFinding(
  name: string,
  { events, images }: Secret,
  { place, option }: { readonly place: string; readonly option: string | null },
): Finding {
  const what = `Secret ${name}`
  const missing = NEEDED_EVENTS.filter((event) => !events.includes(event))
  if (images.length > 0) {
    const detail = `is for the plugins ${images.join(', ')} only, and no step with commands may use it`
    return { what, outcome: 'wrong', detail, hint: `Clear the list of plugins: Woodpecker, ${place}` }
  }
  if (missing.length > 0) {
    const command =
      option === null
        ? ''
        : `; or: woodpecker-cli repo secret update ${option} --name ${name}${eventOptions([...events, ...missing])}`
    const detail = `is not allowed for ${missing.join(' and ')}: such a pipeline fails before its first step`
    return { what, outcome: 'wrong', detail, hint: `Tick ${missing.join(' and ')}: Woodpecker, ${place}${command}` }
  }
  const exposed = events.filter((event) => PULL_REQUESTS.includes(event))
  if (exposed.length > 0) {
    const detail = `is allowed for ${exposed.join(' and ')}, too: whoever opens a pull request can print it`
    return { what, outcome: 'wrong', detail, hint: `Untick ${exposed.join(' and ')}: Woodpecker, ${place}` }
  }
  return { what, outcome: 'ok', detail: `allowed for ${events.join(', ')}` }
}

function eventOptions(events: readonly string[]): string {
  return events.map((event) => ` --event ${event}`).join('')
}
