import { watchedIn } from '../baseline/baseline.ts'
import { shown } from '../baseline/bless.ts'
import { compare, type Difference } from '../baseline/compare.ts'
import { type Confirmed, isAllWatched } from '../baseline/confirmed.ts'
import { type CheckError, type CheckErrorCode, checkError } from '../check-error.ts'
import { asCertified, canLookAt, declaredWholly, type Known, OUT_OF_REACH, unknown } from '../fast-check.ts'
import type { Verdict } from '../judge.ts'
import type { HostSnapshot, Watched } from '../snapshot/host-snapshot.ts'
import { driftByLook } from './drift-by-look.ts'
import type { HostLine } from './host-line.ts'
import type { WatchClock } from './watch-clock.ts'

/** What is known of a host at a moment, and when it was looked at. */
export interface Told {
  readonly verdict: Verdict
  readonly lookedAt: Date
}

export type Doing =
  /** For the first time, or after the connection was lost. */
  | 'connecting'
  | 'watching'
  /** Watching without a bell: by looks alone. */
  | 'looking'
  | 'full check'
  | 'waiting for the full check'

export interface FullCheckWish {
  readonly different: readonly Difference[]
  /** Somebody has been told of drift that Ansible has not confirmed. */
  readonly isUrgent: boolean
}

/** What a full check came to. */
export interface FullCheckResult {
  readonly verdict: Verdict
  readonly startedAt: Date
  readonly known: Known
  readonly confirmed: Confirmed | null
}

export interface HostWatchParts {
  readonly host: string
  readonly line: HostLine
  /** Of the baselines. */
  readonly key: Buffer
  /** Asks for one; `checked` brings its result. */
  readonly checkFully: (wish: FullCheckWish) => void
  readonly tell: (told: Told) => void
  readonly clock: WatchClock
  /** Between looks; null: as long as does with or without a bell. */
  readonly lookEveryMs: number | null
  readonly fullEveryMs: number
  /** A host that cannot be looked at gets a full check so often, so that what is known of it does not become stale. */
  readonly reportEveryMs: number
}

export interface HostWatch {
  readonly doing: Doing
  /** There is a commit, an inventory or a setting of which nothing is known yet: what was certified counts no more. */
  startAnew(known: Known): void
  fullCheckBegins(): void
  checked(result: FullCheckResult): void
  /** The line's bell. */
  onBell(): void
  /** The line's connection has ended. */
  onLost(): void
  stop(): void
}

// With a bell, looks are for what it cannot hear. Without one they are all there is.
const LOOK_EVERY_MS = 10_000
const LOOK_EVERY_WITHOUT_BELL_MS = 1_000
// A restart of sshd or a short cut of the network is nothing to wake anybody for; a reboot is.
export const LOST_MS = 5_000
const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 30_000
// A bell that rings for nothing again and again gets this share of our attention: what is written all the time, such as
// a log of which Git says the mode, would keep us busy.
const SHORTEST_REST_MS = 20
const LONGEST_REST_MS = 500
// Who rewrites a file, or a directory, is done by then.
const UNREADABLE_RETRIES_MS = [100, 300, 900]
// Full checks that neither certify nor confirm anything.
const FIRST_REPEAT_MS = 5_000

/** Reasons that may pass by themselves within moments. */
const PASSING: readonly CheckErrorCode[] = ['unreachable', 'connection_lost', 'timeout']

/**
 * Watches one host. The bell is a hint, a look decides whether the host is as it was certified, and Ansible is the judge
 * of everything else.
 *
 * What it may tell, and by what:
 * SYNCED: a look that is equal to what is certified under the Git of now, or a full check.
 * OUT_OF_SYNC: a look that differs in what Git says wholly, until the full check that it asks for has spoken; and a full
 * check, as long as looks find the host as it stood then.
 * UNKNOWN: a full check that failed, until another one does not; a host that cannot be looked at for some seconds.
 * Anything else tells nothing: what was told stays, with the time at which it was true.
 */
export function createHostWatch(parts: HostWatchParts): HostWatch {
  const { host, line, key, clock } = parts
  let known: Known | null = null
  let confirmed: Confirmed | null = null
  /** UNKNOWN by a full check. No look can clear that up. */
  let failedCheck: Verdict | null = null
  /** What the full check said that no look has repeated yet. */
  let news: Verdict | null = null
  /** Differences that Ansible has called none, where it could not certify them. */
  let overruled: string | null = null
  let asked: string | null = null
  /** Counts what looks are compared with: one that was begun before is compared with nothing. */
  let generation = 0
  let watched: Watched = { paths: [], listings: [] }

  let full: 'none' | 'asked' | 'running' = 'none'
  let repeats = 0
  /** To be asked for once the host can be looked at again. */
  let isFullDue = false
  let cancelFull = () => {}

  let failures = 0
  let failingSinceMs: number | null = null
  let lastFailure: CheckError | null = null
  let cancelLost = () => {}

  let toldAtMs = -Infinity
  let unreadable = 0
  let isRung = false
  let wasRung = false
  let restMs = SHORTEST_REST_MS
  let lastSeen = ''
  let isDeaf = false
  let isOpen = false
  let isStopped = false
  let wake = () => {}

  // ---------------------------------------------------------------- the loop

  async function run(): Promise<void> {
    while (!isStopped) await pause(await turn())
  }

  /** One look, and how long to wait for the next one. */
  async function turn(): Promise<number> {
    wasRung = isRung
    isRung = false
    if (known === null || !canLookAt(known.access) || (known.certified === null && confirmed === null)) return Infinity
    const begun = generation
    const lookedAt = clock.now()
    const result = await line.listen(known.access, watched)
    if (isStopped) return Infinity
    if (begun !== generation) return 0
    if ('error' in result) return onFailure(result.error)

    failures = 0
    failingSinceMs = null
    cancelLost()
    isOpen = true
    isDeaf = result.deaf !== null
    if (isFullDue) askFully({ different: [], isUrgent: false })
    const waitMs = compareWith(result.snapshot, lookedAt)
    return waitMs ?? parts.lookEveryMs ?? (isDeaf ? LOOK_EVERY_WITHOUT_BELL_MS : LOOK_EVERY_MS)
  }

  /** A bell ends it, but for a short rest. */
  async function pause(ms: number): Promise<void> {
    if (isStopped || ms <= 0) return
    if (isOpen) await sleep(Math.min(restMs, ms), false)
    if (!isRung) await sleep(ms - restMs, true)
  }

  function sleep(ms: number, mayWake: boolean): Promise<void> {
    if (isStopped || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        resolve()
      }
      const cancel = ms === Infinity ? () => {} : clock.after(ms, end)
      wake = () => {
        if (mayWake || isStopped) end()
      }
    })
  }

  // ---------------------------------------------------------------- what a look says

  /** @returns after how long to look again, when not as usual */
  function compareWith(now: HostSnapshot, lookedAt: Date): number | null {
    const certified = known?.certified ?? null
    const isAsConfirmed = confirmed === null ? null : compare(confirmed, now, key)
    if (confirmed !== null && isAsConfirmed?.kind === 'equal') return seen('confirmed', confirmed.verdict, lookedAt)
    if (certified === null) {
      // Drift that has changed, and nothing that it could be compared with.
      if (isAsConfirmed?.kind === 'not_known') return onUnreadable(isAsConfirmed.paths, lookedAt)
      noteLook(JSON.stringify(isAsConfirmed))
      askUnlessRepeated([])
      return null
    }

    const comparison = compare(certified, now, key)
    if (comparison.kind === 'not_known') return onUnreadable(comparison.paths, lookedAt)
    unreadable = 0
    if (comparison.kind === 'equal') {
      if (confirmed !== null && !isAllWatched(confirmed.verdict.drift, certified)) {
        noteLook('equal, and more')
        askUnlessRepeated([])
        return null
      }
      overruled = null
      return seen('certified', synced(certified), lookedAt)
    }

    const { differences } = comparison
    noteLook(
      JSON.stringify([...differences.map(({ path, attribute }) => [path, attribute, now.paths.get(path)])], text),
    )
    if (lastSeen === overruled || failedCheck !== null) {
      if (failedCheck !== null) tell(failedCheck, lookedAt)
      return null
    }
    // Of some lines of a file, and of what lies in a directory, Ansible alone knows whether Git cares.
    const whole = new Set(declaredWholly(comparison, certified))
    const drift = driftByLook(
      certified,
      now,
      differences.filter(({ path }) => whole.has(path)),
    )
    if (drift.length > 0) {
      tell(
        {
          ...{ host, status: 'OUT_OF_SYNC', error: null, drift, seen: null, cause: 'SERVER_CHANGED' },
          ...{ coverage: asCertified(certified).coverage, check: { method: 'fast' } },
        },
        lookedAt,
      )
    }
    askUnlessRepeated(differences)
    return null
  }

  function synced(certified: NonNullable<Known['certified']>): Verdict {
    const nothing = { host, status: 'SYNCED', error: null, drift: [], seen: null } as const
    return { ...nothing, ...asCertified(certified), check: { method: 'fast' } }
  }

  function seen(state: string, verdict: Verdict, lookedAt: Date): null {
    unreadable = 0
    noteLook(state)
    tell(failedCheck ?? (news?.status === verdict.status ? news : verdict), lookedAt)
    news = null
    return null
  }

  /** A look that finds what the last one found was not worth the bell. */
  function noteLook(what: string): void {
    restMs = what === lastSeen && wasRung ? Math.min(LONGEST_REST_MS, restMs * 2) : SHORTEST_REST_MS
    lastSeen = what
  }

  function onUnreadable(paths: Parameters<typeof shown>[0], lookedAt: Date): number | null {
    const retryMs = UNREADABLE_RETRIES_MS[unreadable]
    unreadable += 1
    if (retryMs !== undefined) return retryMs
    noteLook('unreadable')
    tell(failedCheck ?? unknown(host, checkError('path_unreadable', shown(paths)), 'fast'), lookedAt)
    return null
  }

  // ---------------------------------------------------------------- a host that cannot be looked at

  function onFailure(error: CheckError): number {
    isOpen = false
    failures += 1
    lastFailure = error
    failingSinceMs ??= clock.monotonicMs()
    const leftMs = failingSinceMs + LOST_MS - clock.monotonicMs()
    if (!PASSING.includes(error.code) || leftMs <= 0) tellLost()
    else {
      cancelLost()
      cancelLost = clock.after(leftMs, tellLost)
    }
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
    // Hosts behind one router that comes back must not come all at once.
    return waitMs / 2 + (clock.random() * waitMs) / 2
  }

  function tellLost(): void {
    cancelLost()
    if (failingSinceMs === null || lastFailure === null || isStopped) return
    tell(unknown(host, lastFailure, 'fast'), clock.now())
  }

  /** What was true before something that was told is not told after it: a full check may have begun before a look. */
  function tell(verdict: Verdict, lookedAt: Date): void {
    // Never later than now: our clock may have been set back meanwhile.
    const atMs = clock.monotonicMs() - Math.max(0, clock.now().getTime() - lookedAt.getTime())
    if (atMs < toldAtMs) return
    toldAtMs = atMs
    parts.tell({ verdict, lookedAt })
  }

  // ---------------------------------------------------------------- full checks

  /** Where the last ones settled nothing, another one is due later by itself. */
  function askUnlessRepeated(different: readonly Difference[]): void {
    if (repeats === 0) askFully({ different, isUrgent: true })
  }

  function askFully(wish: FullCheckWish): void {
    if (full !== 'none') return
    full = 'asked'
    isFullDue = false
    cancelFull()
    parts.checkFully(wish)
  }

  function expectFull(ms: number): void {
    cancelFull()
    cancelFull = clock.after(ms, () => {
      // Others would wait for it, too.
      if (failures > 0 && known?.certified) isFullDue = true
      else askFully({ different: [], isUrgent: false })
    })
  }

  /** Not all at once again, after all were checked at once. */
  function spread(ms: number): number {
    return ms * (1 - clock.random() / 4)
  }

  function repeatLater(): void {
    expectFull(repeats === 0 ? 0 : Math.min(parts.reportEveryMs, FIRST_REPEAT_MS * 2 ** (repeats - 1)))
    repeats += 1
  }

  function onChecked({ verdict, startedAt, known: knownNow, confirmed: confirmedNow }: FullCheckResult): void {
    full = 'none'
    becomes(knownNow, confirmedNow)
    failedCheck = null
    news = null
    const isSettled = confirmedNow !== null || (verdict.status === 'SYNCED' && verdict.check?.uncertified === undefined)
    if (verdict.status === 'UNKNOWN') {
      const isOutOfReach = verdict.error !== null && OUT_OF_REACH.includes(verdict.error.code)
      // Whether it can be reached is better known to the looks, where there are any.
      if (!isOutOfReach) failedCheck = verdict
      if (!isOutOfReach || knownNow.certified === null) tell(verdict, startedAt)
      repeats = Math.max(repeats, 1)
      if (isOutOfReach && knownNow.certified !== null) isFullDue = true
      else repeatLater()
    } else if (isSettled && canLookAt(knownNow.access)) {
      // The look that follows at once says it, for the moment at which it is true.
      news = verdict
      overruled = null
      repeats = 0
      isFullDue = false
      expectFull(spread(parts.fullEveryMs))
    } else {
      tell(verdict, startedAt)
      overruled = verdict.status === 'SYNCED' ? asked : null
      repeatLater()
    }
    isRung = true
    wake()
  }

  function becomes(knownNow: Known, confirmedNow: Confirmed | null): void {
    generation += 1
    known = knownNow
    confirmed = confirmedNow
    const all = [
      knownNow.watched,
      ...[knownNow.certified, confirmedNow].flatMap((one) => (one ? [watchedIn(one)] : [])),
    ]
    watched = together(all)
  }

  void run()

  return {
    get doing() {
      if (full === 'running') return 'full check'
      if (full === 'asked') return 'waiting for the full check'
      if (!isOpen) return 'connecting'
      return isDeaf ? 'looking' : 'watching'
    },
    startAnew(knownNow) {
      becomes(knownNow, null)
      failedCheck = null
      news = null
      overruled = null
      repeats = 0
      if (knownNow.certified === null) {
        if (full === 'running') full = 'none' // what it says is about another Git
        askFully({ different: [], isUrgent: false })
      } else {
        const ageMs = clock.now().getTime() - knownNow.certified.fullCheckAt.getTime()
        expectFull(ageMs < 0 ? 0 : Math.max(0, spread(parts.fullEveryMs) - ageMs))
      }
      isRung = true
      wake()
    },
    fullCheckBegins() {
      full = 'running'
      asked = lastSeen
    },
    checked: onChecked,
    onBell() {
      isRung = true
      wake()
    },
    onLost() {
      isOpen = false
      isRung = true
      wake()
    },
    stop() {
      isStopped = true
      cancelFull()
      cancelLost()
      line.close()
      wake()
    },
  }
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function together(all: readonly Watched[]): Watched {
  const recurse = new Map<string, boolean>()
  for (const { listings } of all) {
    for (const one of listings) recurse.set(one.path, one.recurse || (recurse.get(one.path) ?? false))
  }
  return {
    paths: [...new Set(all.flatMap(({ paths }) => paths))],
    listings: [...recurse].map(([path, deep]) => ({ path, recurse: deep })),
  }
}
