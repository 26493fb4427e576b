import type { Target } from '../domain/report.ts'
import type { Account, Ledger } from './ledger.ts'
import type { Cursor, HistoryQuery, PastEpisode, PastPeriod, PastState } from './store.ts'

/** A query as a database is asked it: of targets by number, times in milliseconds since 1970. */
export interface RangeQuery {
  /** Null: of every target. */
  readonly targetIds: readonly number[] | null
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly after: Cursor | null
}

// What lasts now is not in the tables of what is over: the ledger has it, and the two are put together here.
//
// What lasts has to be taken from the ledger before what is over is read: what ends meanwhile is then in both, and counts
// as over. Taken afterwards, it would be in neither, and the target would be missing from the answer.

/** What lasts at this moment. Records are never changed in place, so that it stays as it is. */
export function openIn(ledger: Ledger, { targets }: Pick<HistoryQuery, 'targets'> = { targets: null }): Account[] {
  return targets === null ? [...ledger.accounts()] : accountsOf(ledger, targets)
}

/** @param lasting `openIn`, from before `closed` was read */
export function withOpenPeriods(
  lasting: readonly Account[],
  query: HistoryQuery,
  closed: readonly PastPeriod[],
): PastPeriod[] {
  const over = new Set(closed.map(({ targetId, period }) => placeKey(targetId, period.beganAt)))
  const open = lasting
    .filter(({ id, record }) => isIn(query, { beganAt: record.period.beganAt, targetId: id }))
    .filter(({ id, record }) => !over.has(placeKey(id, record.period.beganAt)))
    .map(({ id, record }) => ({ ...record, targetId: id, endedAt: null }))
  return newestFirst([...open, ...closed], ({ targetId, period }) => ({ beganAt: period.beganAt, targetId }), query)
}

/** @param lasting `openIn`, from before `closed` was read */
export function withOpenEpisodes(
  lasting: readonly Account[],
  query: HistoryQuery,
  closed: readonly PastEpisode[],
): PastEpisode[] {
  const over = new Set(closed.map(episodeKey))
  const open = lasting.flatMap(({ id, record: { newest, episode } }) =>
    episode === null || over.has(episodeKey({ ...episode, targetId: id }))
      ? []
      : [{ ...episode, target: newest.report.target, targetId: id }],
  )
  const at = ({ targetId, firstDirtyAt }: PastEpisode) => ({ beganAt: firstDirtyAt, targetId })
  return newestFirst([...open.filter((one) => isIn(query, at(one))), ...closed], at, query)
}

/**
 * Of each target the period that the moment fell into: the one that lasts, or one that is over.
 *
 * @param lasting `openIn`, from before `closed` was read
 */
export function withOpenStates(lasting: readonly Account[], at: Date, closed: readonly PastState[]): PastState[] {
  const states = new Map(closed.map((state) => [state.newest.report.key, state]))
  for (const { record } of lasting) {
    const { key } = record.newest.report
    if (record.period.beganAt > at.getTime() || states.has(key)) continue
    states.set(key, { ...record, endedAt: Number.POSITIVE_INFINITY })
  }
  return [...states.values()]
}

export function rangeOf(ledger: Ledger, query: HistoryQuery): RangeQuery {
  const { from, to, limit, after } = query
  return { targetIds: targetIdsIn(ledger, query), from: from.getTime(), to: to.getTime(), limit, after }
}

/** The numbers of the targets that a query names; null when it names none in particular. */
export function targetIdsIn(ledger: Ledger, { targets }: HistoryQuery): number[] | null {
  return targets === null ? null : accountsOf(ledger, targets).map(({ id }) => id)
}

// Of two that began with one `last_check` only the first began without a clean check of that moment.
function episodeKey({
  targetId,
  firstDirtyAt,
  lastCleanAt,
}: Pick<PastEpisode, 'targetId' | 'firstDirtyAt' | 'lastCleanAt'>): string {
  return `${placeKey(targetId, firstDirtyAt)} ${lastCleanAt}`
}

function placeKey(targetId: number, beganAt: number): string {
  return `${targetId} ${beganAt}`
}

function accountsOf(ledger: Ledger, targets: readonly Target[]): Account[] {
  return targets.flatMap((target) => ledger.account(target) ?? [])
}

function isIn({ to, after }: HistoryQuery, place: Cursor): boolean {
  return place.beganAt <= to.getTime() && (after === null || compare(place, after) > 0)
}

function newestFirst<One>(all: readonly One[], placeOf: (one: One) => Cursor, { limit }: HistoryQuery): One[] {
  return all.toSorted((a, b) => compare(placeOf(a), placeOf(b))).slice(0, limit)
}

/** The newest first; of two that began in the same millisecond the one with the higher number. */
function compare(a: Cursor, b: Cursor): number {
  return b.beganAt - a.beganAt || b.targetId - a.targetId
}
