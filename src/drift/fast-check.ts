import { isDeepStrictEqual } from 'node:util'
import { type Certified, knownOf, type Remembered, watchedIn } from './baseline/baseline.ts'
import type { Baselines } from './baseline/baseline-file.ts'
import { BINDING_PARTS, type Binding, changedPart } from './baseline/binding.ts'
import { type Blessing, bless, shown, toLookAtAfter, watchedOf } from './baseline/bless.ts'
import { causeOfAll, causeOfDrift, type Deploy, isSameEdit } from './baseline/cause.ts'
import { type Comparison, compare, type Difference } from './baseline/compare.ts'
import { type Confirmed, confirmedBy } from './baseline/confirmed.ts'
import type { Sight, Sighted } from './blame/name-who.ts'
import { type CheckError, type CheckErrorCode, checkError } from './check-error.ts'
import type { Verdict } from './judge.ts'
import type { HostAccess, NoHostAccess } from './snapshot/host-access.ts'
import type { LookRequest } from './snapshot/host-looks.ts'
import type { HostSnapshot, Path64, SnapshotResult, Watched } from './snapshot/host-snapshot.ts'

/** All that a fast check needs of the world. */
export interface FastCheckParts {
  readonly baselines: Pick<Baselines, 'key' | 'read' | 'write'>
  readonly bindingOf: (host: string) => Binding
  /** Of Git; null: it is not known, or something is not committed. */
  readonly commit: string | null
  readonly deployOf: (host: string) => (path: Path64, since: Date) => Deploy
  /** One round trip to each host. */
  readonly look: (requests: readonly LookRequest[]) => Promise<ReadonlyMap<string, SnapshotResult>>
  /** The full check, by Ansible, of these hosts alone. */
  readonly checkFully: (hosts: readonly string[]) => Promise<readonly Verdict[]>
  /** Whether the repository is still as `bindingOf` has it: Ansible reads it later, and somebody may be at work there. */
  readonly isGitUnchanged: () => Promise<boolean>
  /** The age at which a full check is due again. */
  readonly fullEveryMs: number
  readonly now: () => Date
  /** Whether there is still time for a full check to be repeated. */
  readonly hasTime: () => boolean
}

export interface FastCheckResult {
  /** One for each host, in the order given, with what was seen of it. */
  readonly sighted: readonly Sighted[]
  /** What a person should know of baselines that could not be used or kept. */
  readonly notes: readonly Note[]
  /** How drifted hosts stood meanwhile, where nobody worked on them. */
  readonly confirmed: ReadonlyMap<string, Confirmed>
}

export interface Note {
  readonly host: string
  readonly text: string
}

// An edit while a check runs is rare; somebody who works on a host for longer than three checks is told so.
const REPEATS_WHEN_EDITED = 2
const REPEATS_WHEN_TOUCHED = 1

/** Reasons for which Ansible would not reach the host either, and would let everybody wait for it. */
export const OUT_OF_REACH: readonly CheckErrorCode[] = [
  'unreachable',
  'connection_lost',
  'auth_failed',
  'host_key_unknown',
  'host_key_changed',
  'timeout',
  'interrupted',
]

/**
 * Compares hosts with Git in one round trip where a certified baseline allows it, and by Ansible where it does not:
 * when there is none, when it is void, when a full check is due, and when the host is not as it was certified. Ansible
 * is the judge: a difference becomes OUT_OF_SYNC by its word only. See docs/fast-check.md.
 */
export async function fastCheck(hosts: readonly string[], parts: FastCheckParts): Promise<FastCheckResult> {
  const notes: Note[] = []
  const hostStates = hosts.map((host) => recall(host, parts, notes))
  const sighted = new Map<string, Sighted>()

  const toVerify = hostStates.filter(isToVerify)
  const looks = await parts.look(
    toVerify.map(({ host, access, certified }) => request(host, access, watchedIn(certified))),
  )
  const toCheck: HostState[] = hostStates.filter((state) => !isToVerify(state))
  for (const state of toVerify) {
    const found = verified(state, looks.get(state.host), parts)
    if ('different' in found) toCheck.push({ ...state, different: found.different })
    else sighted.set(state.host, found)
  }
  const { concluded, confirmed } = await certify(toCheck, parts, notes)
  for (const found of concluded) sighted.set(found.verdict.host, found)
  return { sighted: hosts.flatMap((host) => sighted.get(host) ?? []), notes, confirmed }
}

/** The certified full check of these hosts, whatever is known of them; of each, what a look found different. */
export async function certifiedCheck(
  hosts: ReadonlyMap<string, readonly Difference[]>,
  parts: FastCheckParts,
): Promise<FastCheckResult> {
  const notes: Note[] = []
  const states = [...hosts].map(([host, different]) => ({ ...recall(host, parts, notes), different }))
  const { concluded, confirmed } = await certify(states, parts, notes)
  return { sighted: concluded, notes, confirmed }
}

/** What a look at a host needs to know, and what it can be compared with; certified only if it still holds. */
export function whatIsKnown(
  host: string,
  parts: Pick<FastCheckParts, 'baselines' | 'bindingOf' | 'fullEveryMs' | 'now'>,
): { readonly known: Known; readonly notes: readonly Note[] } {
  const notes: Note[] = []
  const { access, watched, certified, isSameGit } = recall(host, parts, notes)
  return { known: { access, watched, certified: isSameGit ? certified : null }, notes }
}

export interface Known {
  readonly access: HostAccess | NoHostAccess | null
  /** All that the last run named. */
  readonly watched: Watched
  readonly certified: Certified | null
}

interface HostState {
  readonly host: string
  readonly binding: Binding
  readonly access: HostAccess | NoHostAccess | null
  readonly watched: Watched
  /** The last one, whether it still holds or not. */
  readonly certified: Certified | null
  /** Commit, inventory, variables and all else are those of `certified`. */
  readonly isSameGit: boolean
  /** Of a full check that is not due. */
  readonly isFresh: boolean
  /** What the look found, that has a full check made. */
  readonly different: readonly Difference[]
}

type ToVerify = HostState & { readonly access: HostAccess; readonly certified: Certified }

function isToVerify(state: HostState): state is ToVerify {
  return state.certified !== null && canLookAt(state.access) && state.isSameGit && state.isFresh
}

export function canLookAt(access: HostAccess | NoHostAccess | null): access is HostAccess {
  return access !== null && 'host' in access
}

function recall(
  host: string,
  { baselines, bindingOf, fullEveryMs, now }: Pick<FastCheckParts, 'baselines' | 'bindingOf' | 'fullEveryMs' | 'now'>,
  notes: Note[],
): HostState {
  const binding = bindingOf(host)
  const nothing = { host, binding, watched: { paths: [], listings: [] }, certified: null, different: [] }
  const found = baselines.read(host)
  if ('void' in found) notes.push({ host, text: `its baseline is void: ${found.void}` })
  if ('void' in found || found.remembered === null)
    return { ...nothing, access: null, isSameGit: false, isFresh: false }

  const { access, watched, certified } = found.remembered
  const changed = certified && changedPart(certified.binding, binding)
  if (changed) notes.push({ host, text: `its baseline is void: ${BINDING_PARTS[changed]}` })
  const ageMs = certified === null ? Infinity : now().getTime() - certified.fullCheckAt.getTime()
  return {
    ...nothing,
    access,
    watched,
    certified,
    isSameGit: certified !== null && changed === null,
    // A check from the future: the clock of whoever checks was set.
    isFresh: ageMs >= 0 && ageMs < fullEveryMs,
  }
}

function request(name: string, access: HostAccess, watched: Watched): LookRequest {
  return { name, access, watched }
}

// ---------------------------------------------------------------- verify

function verified(
  { host, certified }: ToVerify,
  look: SnapshotResult | undefined,
  { baselines }: FastCheckParts,
): Sighted | { readonly different: readonly Difference[] } {
  if (look === undefined || 'error' in look) return unseen(host, look?.error ?? checkError('look_failed'), 'fast')
  const comparison = compare(certified, look.snapshot, baselines.key)
  if (comparison.kind === 'different') return { different: comparison.differences }
  if (comparison.kind === 'not_known')
    return unseen(host, checkError('path_unreadable', shown(comparison.paths)), 'fast')
  const { snapshot } = look
  return {
    verdict: {
      host,
      status: 'SYNCED',
      error: null,
      drift: [],
      seen: null,
      ...asCertified(certified),
      check: { method: 'fast' },
    },
    sight: { lookedAt: snapshot.clock, isKnownSince: true, snapshot, certified },
  }
}

export function asCertified({ coverage, watchedCount, unwatched, fullCheckAt, isSameEdit }: Certified) {
  return {
    coverage: { ...coverage, watched: watchedCount, unwatched, fullCheckAt },
    ...(isSameEdit && { cause: 'SAME_EDIT' as const }),
  }
}

export function unknown(host: string, error: CheckError, method: 'full' | 'fast'): Verdict {
  return { host, status: 'UNKNOWN', error, drift: [], coverage: null, seen: null, check: { method } }
}

function unseen(host: string, error: CheckError, method: 'full' | 'fast'): Sighted {
  return { verdict: unknown(host, error, method), sight: null }
}

// ---------------------------------------------------------------- the certified full check

/** A look, the full check, a look: again where somebody worked on the host meanwhile. */
async function certify(
  states: readonly HostState[],
  parts: FastCheckParts,
  notes: Note[],
): Promise<{ readonly concluded: readonly Sighted[]; readonly confirmed: ReadonlyMap<string, Confirmed> }> {
  const done: Sighted[] = []
  const confirmed = new Map<string, Confirmed>()
  let rounds = await beforeTheCheck(states, parts, done)
  for (let repeats = 0; rounds.length > 0; repeats += 1) {
    const startedAt = parts.now()
    const answers = await parts.checkFully(rounds.map(({ state }) => state.host))
    const checked = rounds.flatMap((round): Checked[] => {
      const verdict = answers.find(({ host }) => host === round.state.host)
      return verdict === undefined ? [] : [{ ...round, verdict, startedAt }]
    })
    const looks = await parts.look(checked.flatMap(looksAfter))
    const isGitUnchanged = looks.size === 0 || (await parts.isGitUnchanged())
    rounds = []
    for (const one of checked) {
      const look = looks.get(one.state.host)
      const after = look !== undefined && 'snapshot' in look ? look.snapshot : null
      const found = one.verdict.status === 'SYNCED' && after !== null ? blessingOf(one, after) : null
      const blessing = found?.kind === 'blessed' && !isGitUnchanged ? NOT_THIS_GIT : found
      const mayRepeat = repeats < REPEATS[blessing?.kind ?? 'not_yet'] && parts.hasTime()
      if (mayRepeat && canLookAt(one.verdict.seen?.access ?? null))
        rounds.push({ state: one.state, before: after, access: one.verdict.seen?.access ?? null })
      else {
        const concluded = conclude(one, { after, blessing, look }, parts, notes)
        done.push(concluded)
        const { verdict } = concluded
        const drift = after && confirmedBy(verdict, { before: beforeThisWay(one), after, key: parts.baselines.key })
        if (drift) confirmed.set(verdict.host, drift)
      }
    }
  }
  return { concluded: done, confirmed }
}

const NOT_THIS_GIT = { kind: 'not_yet', why: 'the repository was changed meanwhile' } as const

const REPEATS = {
  blessed: 0,
  edited: REPEATS_WHEN_EDITED,
  touched: REPEATS_WHEN_TOUCHED,
  not_yet: 0,
} as const satisfies Record<Blessing['kind'], number>

interface Round {
  readonly state: HostState
  readonly before: HostSnapshot | null
  /** By which way `before` was seen. */
  readonly access: HostAccess | NoHostAccess | null
}

type Checked = Round & { readonly verdict: Verdict; readonly startedAt: Date }

async function beforeTheCheck(
  states: readonly HostState[],
  { look }: FastCheckParts,
  done: Sighted[],
): Promise<Round[]> {
  const looks = await look(
    states.flatMap(({ host, access, watched }) => (canLookAt(access) ? [request(host, access, watched)] : [])),
  )
  return states.flatMap((state): Round[] => {
    const { host, access } = state
    const result = looks.get(host)
    const before = result !== undefined && 'snapshot' in result ? result.snapshot : null
    // Only where it is still the way to the host: after a change of the inventory it may lie elsewhere.
    if (result !== undefined && 'error' in result && state.isSameGit && OUT_OF_REACH.includes(result.error.code)) {
      done.push(unseen(host, result.error, 'fast'))
      return []
    }
    return [{ state, before, access }]
  })
}

/** After a check that found nothing, to certify it; after one that found drift, to see whether a look would have. */
function looksAfter({ state, before, access, verdict }: Checked): LookRequest[] {
  const way = verdict.seen?.access ?? null
  if (verdict.status === 'UNKNOWN' || verdict.seen === null || !canLookAt(way)) return []
  const sameWay = isDeepStrictEqual(way, access)
  const watched = toLookAtAfter(watchedOf(verdict.seen), sameWay ? before : null)
  // What does not belong in a directory is named by nothing else.
  const drifted = verdict.drift.flatMap(({ path_base64: path }) => path ?? [])
  return [request(state.host, way, { ...watched, paths: [...new Set([...watched.paths, ...drifted])] })]
}

function blessingOf(checked: Checked, after: HostSnapshot): Blessing | null {
  const { seen } = checked.verdict
  return seen && bless({ before: beforeThisWay(checked), after, seen })
}

/** Through another door it may be another host. */
function beforeThisWay({ before, access, verdict }: Checked): HostSnapshot | null {
  return isDeepStrictEqual(verdict.seen?.access, access) ? before : null
}

interface Outcome {
  readonly after: HostSnapshot | null
  readonly blessing: Blessing | null
  readonly look: SnapshotResult | undefined
}

function conclude(checked: Checked, outcome: Outcome, parts: FastCheckParts, notes: Note[]): Sighted {
  const { state, verdict, startedAt } = checked
  const { host } = state
  if (verdict.status === 'UNKNOWN' || verdict.seen === null)
    return { verdict: { ...verdict, check: { method: 'full' } }, sight: null }

  const { blessing } = outcome
  if (blessing?.kind === 'edited')
    return unseen(host, checkError('changed_during_check', shown(blessing.paths)), 'full')

  const { access } = verdict.seen
  const coverage = verdict.coverage && { ...verdict.coverage, fullCheckAt: startedAt }
  const disagreement = disagreementIn(checked, outcome, parts.baselines.key)
  const remember = (certified: Certified | null) => {
    const watched = verdict.seen === null ? state.watched : watchedOf(verdict.seen)
    keep(host, { access, watched, certified }, parts, notes)
  }
  if (blessing?.kind !== 'blessed' || outcome.after === null || coverage === null) {
    remember(state.certified)
    const uncertified = verdict.status === 'SYNCED' ? whyUncertified(access, outcome) : undefined
    const check = {
      method: 'full',
      ...(disagreement && { disagreement }),
      ...(uncertified && { uncertified }),
    } as const
    return {
      verdict: { ...verdict, coverage, ...causes(state, verdict, disagreement !== null, parts), check },
      sight: sightOf(checked, outcome),
    }
  }

  const known = knownOf(outcome.after, { ...blessing, key: parts.baselines.key })
  const certified: Certified = {
    ...known,
    binding: state.binding,
    commit: parts.commit,
    coverage: { checked: coverage.checked, total: coverage.total, unchecked: coverage.unchecked },
    watchedCount: blessing.watchedCount,
    unwatched: blessing.unwatched,
    fullCheckAt: startedAt,
    isSameEdit: isEditedAlike(state, known, parts),
  }
  remember(certified)
  return {
    verdict: {
      ...verdict,
      ...asCertified(certified),
      check: { method: 'full', ...(disagreement && { disagreement }) },
    },
    sight: { lookedAt: outcome.after.clock, isKnownSince: true, snapshot: outcome.after, certified },
  }
}

/** Ansible saw the host between the looks, nobody knows when: what is changed after that is changed after the first. */
function sightOf(checked: Checked, { after }: Outcome): Sight | null {
  if (after === null) return null
  const { before, state } = checked
  const isKnownSince = beforeThisWay(checked) !== null
  return { lookedAt: (before ?? after).clock, isKnownSince, snapshot: after, certified: state.certified }
}

function whyUncertified(access: HostAccess | NoHostAccess, { blessing, look }: Outcome): string {
  if (!canLookAt(access)) return access.why
  if (look !== undefined && 'error' in look) return look.error.message
  if (blessing?.kind === 'touched') return `${shown(blessing.paths)} was touched during the check`
  return blessing?.kind === 'not_yet' ? blessing.why : 'it could not be looked at'
}

function keep(host: string, remembered: Remembered, { baselines }: FastCheckParts, notes: Note[]): void {
  try {
    baselines.write(host, remembered)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    notes.push({ host, text: `its baseline could not be kept: ${error.message}` })
  }
}

// ---------------------------------------------------------------- what follows from what was certified before

function deployed(state: HostState, parts: FastCheckParts) {
  const { host, certified, isSameGit } = state
  const deployOf = parts.deployOf(host)
  const since = certified?.fullCheckAt ?? new Date(0)
  return { certified, isSameGit, deployOf: (path: Path64) => deployOf(path, since), key: parts.baselines.key }
}

/** @param inDispute Where the checks disagree, what was certified explains nothing. */
function causes(
  state: HostState,
  verdict: Verdict,
  inDispute: boolean,
  parts: FastCheckParts,
): Pick<Verdict, 'cause' | 'drift'> {
  if (verdict.status !== 'OUT_OF_SYNC' || inDispute) return { drift: verdict.drift }
  const before = deployed(state, parts)
  const found = verdict.drift.map((drift) => ({ drift, cause: causeOfDrift(drift, before) }))
  const cause = causeOfAll(found.map((one) => one.cause))
  return {
    ...(cause && { cause }),
    drift: found.map((one) => ({ ...one.drift, ...(one.cause && { cause: one.cause }) })),
  }
}

function isEditedAlike(state: HostState, known: Pick<Certified, 'paths'>, parts: FastCheckParts): boolean {
  const before = deployed(state, parts)
  if (!state.isSameGit) return isSameEdit(known, before)
  // It stays so until what Git says is rolled out after all.
  const isRolledOut = [...known.paths.keys()].some((path) => before.deployOf(path) === 'current')
  return state.certified?.isSameEdit === true && !isRolledOut
}

/**
 * Whether the look and the full check contradict each other; null: they do not. Under the same commit, inventory and
 * variables what Ansible held against Git then and what it holds against Git now must be the same.
 */
function disagreementIn({ state, before, verdict }: Checked, { after }: Outcome, key: Buffer): string | null {
  const { certified, isSameGit, different } = state
  if (certified === null || !isSameGit || after === null) return null
  if (verdict.status === 'SYNCED') {
    const found = different.length === 0 ? [] : declaredWholly(compare(certified, after, key), certified)
    return found.length === 0 ? null : `${shown(found)} is not as it was certified, and the full check finds no drift`
  }
  if (before === null || compare(certified, before, key).kind !== 'equal') return null
  const found = verdict.drift.flatMap(({ path_base64: path }) =>
    path !== null && certified.paths.has(path) && isDeepStrictEqual(before.paths.get(path), after.paths.get(path))
      ? [path]
      : [],
  )
  return found.length === 0 ? null : `the full check finds drift in ${shown(found)}, which is as it was certified`
}

/** Of some lines of a file, and of what else lies in a directory, Ansible alone knows what Git cares for. */
export function declaredWholly(comparison: Comparison, certified: Certified): Path64[] {
  if (comparison.kind !== 'different') return []
  return comparison.differences.flatMap(({ path, attribute }) => {
    const declared = certified.paths.get(path)?.declared ?? []
    const isPart = attribute === 'content' && !declared.includes('content')
    return declared.length === 0 || attribute === 'entries' || isPart ? [] : [path]
  })
}
