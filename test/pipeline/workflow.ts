import { parse } from 'yaml'

/**
 * What Woodpecker makes of a pipeline file for one event, as its source says (pipeline/frontend/builder/builder.go,
 * frontend/yaml/constraint and frontend/yaml/compiler): variables are replaced in the text, steps that `when` leaves
 * out are gone, the others form stages, secrets are looked up. What it knows and we do not honour throws, so that no
 * test passes for the want of it.
 */
export interface Trigger {
  readonly event: Event
  readonly branch: string
  /** Which cron job; for the event `cron`. */
  readonly cron?: string
  readonly defaultBranch: string
  /** `owner/name` */
  readonly repository: string
  readonly secrets: readonly Secret[]
  /** Further variables of the pipeline. */
  readonly variables?: Readonly<Record<string, string>>
}

export type Event =
  | 'push'
  | 'pull_request'
  | 'pull_request_closed'
  | 'tag'
  | 'cron'
  | 'manual'
  | 'deployment'
  | 'release'

export interface Secret {
  readonly name: string
  readonly value: string
  /** Empty: every event. */
  readonly events: readonly Event[]
}

export interface Step {
  readonly name: string
  readonly image: string
  readonly commands: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Whether it runs while everything before it succeeded, and whether after a failure. */
  readonly onSuccess: boolean
  readonly onFailure: boolean
  readonly ignoreFailure: boolean
}

export type Stage = readonly Step[]

/** Woodpecker refuses the whole pipeline: nothing of it runs. */
export class RefusedPipeline extends Error {}

/** No stages: no step is there for this event, and Woodpecker starts no pipeline. */
export function compileWorkflow(text: string, trigger: Trigger): readonly Stage[] {
  const variables = environmentOf(trigger)
  const workflow = objectOf(parse(substitute(text, variables), { merge: true }), 'the file', WORKFLOW_KEYS)
  if (!matches(constraintsOf(workflow.when), trigger)) return []

  const all = stepsOf(workflow.steps)
  const steps = all.flatMap((step): PlacedStep[] => {
    const constraints = constraintsOf(step.when)
    if (!matches(constraints, trigger)) return []
    return [{ step: compileStep(step, constraints, trigger, variables), dependsOn: dependenciesOf(step.depends_on) }]
  })
  return stagesOf(
    steps,
    all.map(({ name }) => name),
  )
}

type Json = Readonly<Record<string, unknown>>
interface NamedStep extends Json {
  readonly name: string
}
interface PlacedStep {
  readonly step: Step
  readonly dependsOn: readonly { readonly name: string; readonly optional: boolean }[] | null
}

const WORKFLOW_KEYS = ['variables', 'when', 'steps']
const STEP_KEYS = ['name', 'image', 'commands', 'environment', 'when', 'depends_on', 'failure']
const CONSTRAINT_KEYS = ['event', 'branch', 'cron', 'status', 'ref', 'repo'] as const

/** The variables that Woodpecker gives to a pipeline, as far as a step here may ask for them. */
function environmentOf({ event, branch, repository, defaultBranch, variables }: Trigger): Record<string, string> {
  const [owner = '', name = ''] = repository.split('/')
  return {
    CI: 'woodpecker',
    CI_REPO: repository,
    CI_REPO_OWNER: owner,
    CI_REPO_NAME: name,
    CI_REPO_DEFAULT_BRANCH: defaultBranch,
    CI_COMMIT_BRANCH: branch,
    CI_COMMIT_REF: refOf(event, branch),
    CI_PIPELINE_EVENT: event,
    ...variables,
  }
}

function refOf(event: Event, branch: string): string {
  return event === 'tag'
    ? 'refs/tags/v1'
    : event.startsWith('pull_request')
      ? 'refs/pull/1/head'
      : `refs/heads/${branch}`
}

/** Before anything is read as YAML. `$NAME` is the shell's, and `$${NAME}` is how to write the shell's `${NAME}`. */
function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$?\$\{([^}]*)\}/g, (whole, name: string) => {
    if (whole.startsWith('$$')) return whole.slice(1)
    if (!/^\w+$/.test(name)) throw new Error(`the runner knows no \${${name}}`)
    const value = variables[name] ?? ''
    return value.includes('\n') ? JSON.stringify(value) : value
  })
}

/** One that holds is enough; without any, everything does. */
function matches(constraints: readonly Json[], trigger: Trigger): boolean {
  return constraints.length === 0 || constraints.some((constraint) => holds(constraint, trigger))
}

function holds(constraint: Json, { event, branch, cron, repository }: Trigger): boolean {
  const events = listOf(constraint.event)
  return (
    (events.length === 0 || events.includes(event)) &&
    inList(constraint.repo, repository) &&
    inList(constraint.ref, refOf(event, branch)) &&
    (event === 'tag' || inList(constraint.branch, branch)) &&
    (event !== 'cron' || inList(constraint.cron, cron ?? ''))
  )
}

function inList(list: unknown, value: string): boolean {
  const isMap = typeof list === 'object' && list !== null && !Array.isArray(list)
  const { include, exclude } = isMap ? objectOf(list, 'a list', ['include', 'exclude']) : { include: list, exclude: [] }
  const some = (patterns: unknown) => listOf(patterns).some((pattern) => globOf(pattern).test(value))
  return !some(exclude) && (some(include) || listOf(include).length === 0)
}

function globOf(pattern: string): RegExp {
  if (/[[\]{}\\]/.test(pattern)) throw new Error(`the runner knows no pattern ${pattern}`)
  const parts = pattern.split(/(\*\*|\*|\?)/).map((part) => {
    return { '**': '.*', '*': '[^/]*', '?': '[^/]' }[part] ?? part.replace(/[.+^$()|]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}

function compileStep(
  step: NamedStep,
  constraints: readonly Json[],
  trigger: Trigger,
  variables: Readonly<Record<string, string>>,
): Step {
  const { name, image, commands, failure = 'fail' } = step
  if (typeof image !== 'string' || image === '') throw new RefusedPipeline(`steps.${name}: Invalid or missing image`)
  if (failure !== 'fail' && failure !== 'ignore') throw new Error(`the runner knows no failure: ${failure}`)
  const asked = objectOf(step.environment ?? {}, `environment of ${name}`)
  const environment = Object.entries(asked).map(([key, value]) => [key, textOf(value, trigger)] as const)
  // Only a constraint that holds has a say; one without a status means success.
  const statuses = constraints.filter((one) => holds(one, trigger)).map(({ status }) => listOf(status))
  return {
    name,
    image,
    commands: listOf(commands),
    environment: { ...variables, ...Object.fromEntries(environment) },
    onSuccess: constraints.length === 0 || statuses.some((list) => list.length === 0 || list.includes('success')),
    onFailure: statuses.some((list) => list.includes('failure')),
    ignoreFailure: failure === 'ignore',
  }
}

function textOf(value: unknown, { secrets, event }: Trigger): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  const { from_secret: wanted } = objectOf(value, 'a variable', ['from_secret'])
  const name = String(wanted).toLowerCase()
  const secret = secrets.find((one) => one.name.toLowerCase() === name)
  if (secret === undefined) throw new RefusedPipeline(`secret "${name}" not found`)
  const asEvent = event.startsWith('pull_request') ? 'pull_request' : event
  if (secret.events.length > 0 && !secret.events.includes(asEvent))
    throw new RefusedPipeline(`secret "${secret.name}" is not allowed to be used with pipeline event "${event}"`)
  return secret.value
}

/** One step after the other, unless one of them says on what it depends: then all that can begins at once. */
function stagesOf(steps: readonly PlacedStep[], namesInFile: readonly string[]): readonly Stage[] {
  if (steps.every(({ dependsOn }) => dependsOn === null)) return steps.map(({ step }) => [step])

  const names = steps.map(({ step }) => step.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new RefusedPipeline(`more than one step is called ${twice}`)
  const waiting = steps.map(({ step, dependsOn }) => {
    const missing = (dependsOn ?? []).filter(({ name }) => !names.includes(name))
    const required = missing.find(({ optional }) => !optional)
    if (required !== undefined) {
      const why = namesInFile.includes(required.name) ? 'its `when` leaves it out' : 'it does not exist'
      throw new RefusedPipeline(`${step.name} depends on ${required.name}, but ${why}`)
    }
    return { step, needs: (dependsOn ?? []).map(({ name }) => name).filter((name) => names.includes(name)) }
  })

  const stages: Stage[] = []
  const placed = new Set<string>()
  while (placed.size < waiting.length) {
    const ready = waiting.filter(({ step, needs }) => !placed.has(step.name) && needs.every((name) => placed.has(name)))
    if (ready.length === 0) throw new RefusedPipeline('steps depend on each other in a circle')
    stages.push(ready.map(({ step }) => step))
    for (const { step } of ready) placed.add(step.name)
  }
  return stages
}

function stepsOf(steps: unknown): readonly NamedStep[] {
  const list = Array.isArray(steps)
    ? steps.map((step, index) => [`step-${index}`, step] as const)
    : Object.entries(objectOf(steps, 'steps'))
  if (list.length === 0) throw new RefusedPipeline('Invalid or missing `steps` section')
  return list.map(([byDefault, step]) => {
    const object = objectOf(step, 'a step', STEP_KEYS)
    return { ...object, name: String(object.name ?? byDefault) }
  })
}

function constraintsOf(when: unknown): readonly Json[] {
  const list = when === undefined || when === null ? [] : [when].flat()
  return list.map((constraint) => objectOf(constraint, 'when', CONSTRAINT_KEYS))
}

function dependenciesOf(list: unknown): PlacedStep['dependsOn'] {
  if (list === undefined) return null
  return [list].flat().map((entry) => {
    if (typeof entry === 'string') return { name: entry, optional: false }
    const { name, optional = false } = objectOf(entry, 'depends_on', ['name', 'optional'])
    return { name: String(name), optional: optional === true }
  })
}

function listOf(value: unknown): readonly string[] {
  return value === undefined || value === null ? [] : [value].flat().map(String)
}

function objectOf(value: unknown, what: string, keys?: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RefusedPipeline(`${what}: no map`)
  const unknown = Object.keys(value).find((key) => keys !== undefined && !keys.includes(key))
  if (unknown !== undefined) throw new Error(`the runner knows no ${unknown} in ${what}`)
  return value as Json // checked above
}
