import { createHash } from 'node:crypto'
import type { Certified } from '../baseline/baseline.ts'
import type { CheckErrorCode } from '../check-error.ts'
import type { Drift, Verdict } from '../judge.ts'
import type { HostAccess } from '../snapshot/host-access.ts'
import type { EvidenceQuestion, EvidenceResult } from '../snapshot/host-session.ts'
import type { HostClock, HostSnapshot, Path64 } from '../snapshot/host-snapshot.ts'
import { askWhoChanged, type ChangedFile } from './ask-who-changed.ts'
import { modifiedBy, type Span } from './blame.ts'
import type { People } from './people.ts'
import type { Named, Trail, Trails } from './trail-file.ts'

/** A host at the end of a check. */
export interface Sighted {
  readonly verdict: Verdict
  /** Null: it was not looked at, or not in a way that says anything. */
  readonly sight: Sight | null
}

export interface Sight {
  readonly lookedAt: HostClock
  /** The host was as the verdict has it at that moment of its own clock, or later. */
  readonly isKnownSince: boolean
  /** The last look at it. */
  readonly snapshot: HostSnapshot
  /** What the next look is compared with. */
  readonly certified: Certified | null
}

export interface NamingParts {
  readonly trails: Trails
  readonly people: People
  /** Recorded roll-outs of a path, in seconds since 1970 by our own clock. */
  readonly deploysOf: (host: string) => (path: Path64) => readonly Span[]
  readonly ask: (name: string, access: HostAccess, question: EvidenceQuestion) => Promise<EvidenceResult>
  readonly now: () => Date
  readonly hasTime: () => boolean
}

export interface NamingResult {
  readonly verdicts: readonly Verdict[]
  readonly notes: readonly { readonly host: string; readonly text: string }[]
}

/**
 * Names who changed the files of hosts that have drifted, and remembers of every host what it takes to name who is
 * next. A host is asked about a file in a state that it was not in at the last check; as long as it stays in that
 * state, so does the answer.
 *
 * @param startedAt When the check began, before the first connection.
 */
export async function nameWho(sighted: readonly Sighted[], startedAt: Date, parts: NamingParts): Promise<NamingResult> {
  const notes: { host: string; text: string }[] = []
  const verdicts = sighted.map(async ({ verdict, sight }): Promise<Verdict> => {
    const { host } = verdict
    const trail = parts.trails.read(host)
    const named = sight === null ? null : await namesFor(verdict, sight, trail, startedAt, parts)
    const run = { from: inSeconds(startedAt), to: inSeconds(parts.now()) }
    const next = sight === null ? notSeen(verdict, trail, run) : seen(sight, named ?? new Map(), trail, run)
    const why = next === trail ? null : parts.trails.write(host, next)
    if (why) notes.push({ host, text: `who changes it next cannot be told: ${why}` })
    return named === null ? verdict : { ...verdict, drift: verdict.drift.map((drift) => withName(drift, named)) }
  })
  return { verdicts: await Promise.all(verdicts), notes }
}

function withName(drift: Drift, named: ReadonlyMap<Path64, Named>): Drift {
  const by = isServersOwn(drift) && drift.path_base64 !== null ? named.get(drift.path_base64)?.by : null
  return by ? { ...drift, modified_by: by } : drift
}

/** Otherwise a commit brought up the difference, and nobody who was on the server. */
function isServersOwn({ cause }: Drift): boolean {
  return cause !== 'PENDING_DEPLOY'
}

// ---------------------------------------------------------------- who it was

async function namesFor(
  { host, drift, seen }: Verdict,
  sight: Sight,
  trail: Trail | null,
  startedAt: Date,
  { people, deploysOf, ask, now, hasTime }: NamingParts,
): Promise<ReadonlyMap<Path64, Named>> {
  const access = seen?.access
  if (access === undefined || !('host' in access)) return new Map()
  const named = new Map<Path64, Named>()
  const asked: ChangedFile[] = []
  for (const one of drift) {
    const { path_base64: path, change } = one
    const state = path === null ? null : stateOf(path, sight.snapshot)
    if (path === null || state === null || !isServersOwn(one)) continue
    const known = trail?.named.get(path)
    named.set(path, known?.state === state ? known : { state, by: null })
    if (known?.state === state) continue
    const before = sight.certified?.paths.get(path)
    // It may never have been there.
    if (change === 'missing' && (before === undefined || before.kind === 'missing')) continue
    const wasSingle = before?.kind === 'file' && trail?.linked?.includes(path) === false
    asked.push({ path, change, linksAtStart: wasSingle ? 1 : null, deploys: deploysOf(host)(path) })
  }
  if (trail === null || !trail.isKnownSince || asked.length === 0 || !hasTime()) return named

  const run = { from: inSeconds(startedAt), to: inSeconds(now()) }
  const found = await askWhoChanged((question) => ask(host, access, question), asked, {
    after: trail.lookedAt,
    before: sight.snapshot.clock,
    // Ansible's connection is still there.
    ownChecks: [...trail.ownChecks, { ...onTheHost(run, sight.lookedAt), to: Number.POSITIVE_INFINITY }],
    people,
    now,
  })
  for (const [path, blame] of found) named.set(path, { state: named.get(path)?.state ?? '', by: modifiedBy(blame) })
  return named
}

/** What must stay the same for an answer to stay true: the file in every respect. Null: it could not be looked at. */
function stateOf(path: Path64, { paths }: HostSnapshot): string | null {
  const facts = paths.get(path)
  if (facts === undefined || facts.kind === 'unreadable') return null
  const text = JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return createHash('sha256').update(text).digest('hex')
}

// ---------------------------------------------------------------- what is remembered

// From our last word on a connection until sshd has written down that it is closed.
const GOODBYE_S = 5

// What Ansible's modules log counts for half a minute.
const AFTERGLOW_S = 60

function seen(
  { lookedAt, isKnownSince, snapshot, certified }: Sight,
  named: ReadonlyMap<Path64, Named>,
  trail: Trail | null,
  run: Span,
): Trail {
  const since = Number(lookedAt.realtime) / 1e9 - AFTERGLOW_S
  const wasLookedAt = certified !== null && [...certified.paths.keys()].every((path) => snapshot.paths.has(path))
  const linked = [...snapshot.paths].flatMap(([path, facts]) =>
    facts.kind === 'file' && facts.links !== 1 ? [path] : [],
  )
  return {
    lookedAt,
    isKnownSince,
    readBetween: run,
    ownChecks: [...(trail?.ownChecks ?? []).filter(({ to }) => to >= since), onTheHost(run, lookedAt)],
    linked: wasLookedAt ? linked : null,
    named,
  }
}

/** By its clock, which was read at some moment of the run. */
function onTheHost({ from, to }: Span, { realtime }: HostClock): Span {
  const at = Number(realtime) / 1e9
  return { from: at - (to - from), to: at + (to - from) + GOODBYE_S }
}

// Then nobody got in, and there is no login of ours.
const NOT_LET_IN: readonly CheckErrorCode[] = ['unreachable', 'host_key_unknown', 'host_key_changed', 'auth_failed']
// More than six hours of checks that found nothing out.
const MAX_OWN_CHECKS = 200

/** What was remembered, and that we may have been there once more. Null: that is too often to remember. */
function notSeen({ error }: Verdict, trail: Trail | null, run: Span): Trail | null {
  if (trail === null || (error !== null && NOT_LET_IN.includes(error.code))) return trail
  if (trail.ownChecks.length >= MAX_OWN_CHECKS) return null
  const { lookedAt, readBetween, ownChecks } = trail
  const at = Number(lookedAt.realtime) / 1e9
  const check = { from: at + run.from - readBetween.to - GOODBYE_S, to: at + run.to - readBetween.from + GOODBYE_S }
  return { ...trail, ownChecks: [...ownChecks, check] }
}

function inSeconds(time: Date): number {
  return time.getTime() / 1_000
}
