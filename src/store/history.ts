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
  closed: readonly Over<PastPeriod>[],
): PastPeriod[] {
  const placeOf = ({ targetId, number, period }: PastPeriod) => ({ beganAt: period.beganAt, targetId, number })
  const open = lasting.map(({ id, seq, record }) => {
    return { seq, placed: (number: number) => ({ ...record, targetId: id, number, endedAt: null }) }
  })
  return newestFirst([...stillOpen(open, closed, placeOf, query), ...closed.map(({ one }) => one)], placeOf, query)
}

/** @param lasting `openIn`, from before `closed` was read */
export function withOpenEpisodes(
  lasting: readonly Account[],
  query: HistoryQuery,
  closed: readonly Over<PastEpisode>[],
): PastEpisode[] {
  const placeOf = ({ targetId, number, firstDirtyAt }: PastEpisode) => ({ beganAt: firstDirtyAt, targetId, number })
  const open = lasting.flatMap(({ id, seq, record: { newest, episode } }) => {
    const { target } = newest.report
    return episode === null ? [] : [{ seq, placed: (number: number) => ({ ...episode, target, targetId: id, number }) }]
  })
  return newestFirst([...stillOpen(open, closed, placeOf, query), ...closed.map(({ one }) => one)], placeOf, query)
}

/** What is over, as it was read from a database. */
export interface Over<One> {
  readonly one: One
  /** The number of the newest change of its target at that time. */
  readonly asOf: number
}

/**
 * Those of what lasted that were still going on when `closed` was read.
 *
 * What began in the same moment and is over is either the same one, which ended meanwhile, or an earlier one. It is an
 * earlier one when its target has not changed in between. Then the one that lasts comes next after it.
 */
function stillOpen<One>(
  lasting: readonly { readonly seq: number; readonly placed: (number: number) => One }[],
  closed: readonly Over<One>[],
  placeOf: (one: One) => Cursor,
  { to, after }: HistoryQuery,
): One[] {
  const newest = new Map<string, Over<One>>()
  for (const over of closed) {
    const place = placeOf(over.one)
    const known = newest.get(placeKey(place))
    if (known === undefined || placeOf(known.one).number < place.number) newest.set(placeKey(place), over)
  }

  return lasting.flatMap(({ seq, placed }) => {
    const place = placeOf(placed(0))
    if (place.beganAt > to.getTime()) return []
    // It is the first one at its place: who has seen any of that place has seen it.
    if (after !== null && compare(place, { ...after, number: 0 }) <= 0) return []
    const before = newest.get(placeKey(place))
    if (before === undefined) return [placed(1)]
    return before.asOf > seq ? [] : [placed(placeOf(before.one).number + 1)]
  })
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

function placeKey({ targetId, beganAt }: Cursor): string {
  return `${targetId} ${beganAt}`
}

function accountsOf(ledger: Ledger, targets: readonly Target[]): Account[] {
  return targets.flatMap((target) => ledger.account(target) ?? [])
}

function newestFirst<One>(all: readonly One[], placeOf: (one: One) => Cursor, { limit }: HistoryQuery): One[] {
  return all.toSorted((a, b) => compare(placeOf(a), placeOf(b))).slice(0, limit)
}

/** The newest first; of two that began in the same millisecond the one with the higher numbers. */
function compare(a: Cursor, b: Cursor): number {
  return b.beganAt - a.beganAt || b.targetId - a.targetId || b.number - a.number
}
