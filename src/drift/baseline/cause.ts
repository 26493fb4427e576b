import type { Cause } from '../../contract/report.ts'
import type { DriftEvidence, FileFacts } from '../evidence.ts'
import type { Certified, KnownFacts } from './baseline.ts'
import { keyed } from './keyed.ts'

export interface DeployedState {
  /** The last certified state, of whatever commit; null: there has been none. */
  readonly certified: Certified | null
  /** Commit, inventory and variables are those under which it was certified: then it is what Git says now. */
  readonly isSameGit: boolean
  /** Whether a recorded deploy rolled this path out since then, and if so what; null: nothing is recorded. */
  readonly deployOf: (path: string) => Deploy
  readonly key: Buffer
}

/**
 * `current`: what Git says now was rolled out. `other`: something was, and not that. `none`: nothing was, and deploys
 * are recorded. `not_recorded`: nobody knows.
 */
export type Deploy = 'current' | 'other' | 'none' | 'not_recorded'

/** Why a file differs; null: that is not known. Never a guess. */
export function causeOfDrift(
  drift: DriftEvidence,
  { certified, isSameGit, deployOf, key }: DeployedState,
): Cause | null {
  if (certified === null) return null
  if (isSameGit) return 'SERVER_CHANGED'
  const { path_base64: path } = drift
  if (path === null) return null

  const deploy = deployOf(path)
  // It was rolled out as it should be, and is otherwise now.
  if (deploy === 'current') return 'SERVER_CHANGED'
  if (deploy === 'other') return null

  const before = deployedFacts(path, certified)
  if (before === 'unknown') return null
  // Git did not speak of it before: what is not there, only Git can have brought up.
  if (before === 'not_declared') return drift.change === 'missing' ? 'PENDING_DEPLOY' : null
  const server = compareWithServer(drift, before, key)
  if (server === null) return null
  // Git differs from the server, and the server does not from what was deployed.
  if (server === 'same') return 'PENDING_DEPLOY'
  const git = compareWithGit(drift, before, key)
  return git === null ? null : git === 'same' ? 'SERVER_CHANGED' : 'BOTH'
}

/**
 * Whether a host that matches Git was brought there by hand: of a path that Git says wholly neither is what was
 * deployed, and no deploy was recorded where deploys are.
 */
export function isSameEdit(
  now: Pick<Certified, 'paths'>,
  { certified, isSameGit, deployOf }: Omit<DeployedState, 'key'>,
): boolean {
  if (certified === null || isSameGit) return false
  return [...now.paths].some(([path, facts]) => {
    const before = certified.paths.get(path)
    if (!before || !isWhole(before) || !isWhole(facts) || deployOf(path) !== 'none') return false
    return !isAlike(before, facts)
  })
}

/** The cause of a whole target: the one of all its files. */
export function causeOfAll(causes: readonly (Cause | null)[]): Cause | null {
  const [first = null, ...others] = causes
  if (causes.includes(null)) return null
  return others.every((cause) => cause === first) ? first : 'BOTH'
}

type Side = 'same' | 'changed' | null

/** What stood at a path. */
function deployedFacts(path: string, certified: Certified): KnownFacts | 'not_declared' | 'unknown' {
  const { paths, listings, coverage, unwatched } = certified
  const known = paths.get(path)
  if (known !== undefined) return known.declared.length === 0 && known.kind !== 'missing' ? 'unknown' : known

  const bytes = Buffer.from(path, 'base64')
  const slash = bytes.lastIndexOf('/')
  const directory = bytes.subarray(0, Math.max(slash, 1)).toString('base64')
  const listing = listings.get(directory)
  if (listing !== undefined) {
    const name = bytes.subarray(slash + 1).toString('base64')
    const stood = listing.kind === 'entries' && listing.entries.some((entry) => entry.slice(1) === name)
    return stood ? 'unknown' : { kind: 'missing', declared: [] }
  }
  // A task may have been about this path, and nobody knows.
  const isAllKnown = coverage.unchecked.length === 0 && unwatched.every(({ reason }) => WITHOUT_PATH.includes(reason))
  return isAllKnown ? 'not_declared' : 'unknown'
}

const WITHOUT_PATH: readonly string[] = ['no_path', 'elsewhere']

/** Only of what Git declares: anything else on the server is nobody's deviation. */
function compareWithServer({ change, expected, actual }: DriftEvidence, before: KnownFacts, key: Buffer): Side {
  if (change === 'missing') return before.kind === 'missing' ? 'same' : 'changed'
  if (before.kind === 'missing' || kindOf(actual) !== before.kind) return 'changed'
  const isDeclared = (fact: 'mode' | 'owner' | 'group') => change === 'extra' || expected[fact] !== undefined
  const sides = [
    ...(isDeclared('mode') ? [attribute(actual.mode, [before.mode])] : []),
    ...(isDeclared('owner') ? [attribute(actual.owner, [before.owner, String(before.uid)])] : []),
    ...(isDeclared('group') ? [attribute(actual.group, [before.group, String(before.gid)])] : []),
    ...(before.kind === 'file' ? [attribute(hashOf(actual, key), [before.content])] : []),
  ]
  // Something else differs, of which the task did not say how it should be.
  if (change === 'metadata' && !isExplained(expected, actual)) return null
  return together(sides)
}

function isExplained(expected: FileFacts, actual: FileFacts): boolean {
  return (['mode', 'owner', 'group'] as const).some(
    (fact) => expected[fact] !== undefined && expected[fact] !== actual[fact],
  )
}

function compareWithGit({ change, expected, actual }: DriftEvidence, before: KnownFacts, key: Buffer): Side {
  if (change === 'extra') return before.kind === 'missing' ? 'same' : 'changed'
  if (before.kind === 'missing') return 'changed'
  const declared = [
    ...(expected.mode === undefined ? [] : [attribute(expected.mode, [before.mode])]),
    ...(expected.owner === undefined ? [] : [attribute(expected.owner, [before.owner, String(before.uid)])]),
    ...(expected.group === undefined ? [] : [attribute(expected.group, [before.group, String(before.gid)])]),
  ]
  if (before.kind !== 'file') return change === 'metadata' ? together(declared) : null
  // Of a file of which Git says some lines, what a task would write holds what somebody wrote into the others.
  if (!isWhole(before)) return null
  const content = change === 'metadata' ? hashOf(actual, key) : hashOf(expected, key)
  return together([...declared, attribute(content, [before.content])])
}

function kindOf({ type = 'file' }: FileFacts): string {
  return type.endsWith(' device') ? 'device' : type
}

function hashOf({ sha256 }: FileFacts, key: Buffer): string | undefined {
  return sha256 === undefined ? undefined : keyed(key, 'content', sha256)
}

function attribute(value: string | undefined, before: readonly (string | null)[]): Side {
  if (value === undefined) return null
  return before.includes(value) ? 'same' : 'changed'
}

/** One change is a change, whatever else is not known. */
function together(sides: readonly Side[]): Side {
  if (sides.includes('changed')) return 'changed'
  return sides.includes(null) ? null : 'same'
}

function isWhole({ declared }: KnownFacts): boolean {
  return declared.includes('content')
}

function isAlike(before: KnownFacts, now: KnownFacts): boolean {
  if (before.kind === 'missing' || now.kind === 'missing') return before.kind === now.kind
  const declared = before.declared.filter((one) => now.declared.includes(one))
  return before.kind === now.kind && declared.every((one) => one === 'part_of_content' || before[one] === now[one])
}
