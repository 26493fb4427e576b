import { setImmediate as nextTurn } from 'node:timers/promises'
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

// Looking at so many takes a millisecond or two; then the event loop gets its turn.
const ACCOUNTS_AT_ONCE = 2_000

/** How many rows are read and put together at once. */
export const STATES_AT_ONCE = 1_000

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
  const open = stillOpen(lasting, closed, query, {
    placeOf,
    beganAt: ({ record }) => record.period.beganAt,
    placed: ({ id, record }, number) => ({ ...record, targetId: id, number, endedAt: null }),
  })
  return newestFirst([...open, ...closed.map(({ one }) => one)], placeOf, query)
}

/** @param lasting `openIn`, from before `closed` was read */
export function withOpenEpisodes(
  lasting: readonly Account[],
  query: HistoryQuery,
  closed: readonly Over<PastEpisode>[],
): PastEpisode[] {
  const placeOf = ({ targetId, number, firstDirtyAt }: PastEpisode) => ({ beganAt: firstDirtyAt, targetId, number })
  const open = stillOpen(lasting, closed, query, {
    placeOf,
    beganAt: ({ record }) => record.episode?.firstDirtyAt ?? null,
    placed({ id, record: { newest, episode } }, number) {
      if (episode === null) throw new Error('It has begun')
      return { ...episode, target: newest.report.target, targetId: id, number }
    },
  })
  return newestFirst([...open, ...closed.map(({ one }) => one)], placeOf, query)
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
  lasting: readonly Account[],
  closed: readonly Over<One>[],
  { to, after, limit }: HistoryQuery,
  {
    placeOf,
    beganAt,
    placed,
  }: {
    readonly placeOf: (one: One) => Cursor
    /** Null: it has none that lasts. */
    readonly beganAt: (account: Account) => number | null
    readonly placed: (account: Account, number: number) => One
  },
): One[] {
  const newest = new Map<string, Over<One>>()
  for (const over of closed) {
    const place = placeOf(over.one)
    const known = newest.get(placeKey(place))
    if (known === undefined || placeOf(known.one).number < place.number) newest.set(placeKey(place), over)
  }

  const wanted = lasting.filter((account) => {
    const began = beganAt(account)
    if (began === null || began > to.getTime()) return false
    // It is the first one at its place: who has seen any of that place has seen it.
    return after === null || compare({ beganAt: began, targetId: account.id, number: 0 }, { ...after, number: 0 }) > 0
  })
  return newestOf(wanted, (account) => beganAt(account) ?? 0, limit + closed.length).flatMap((account) => {
    const before = newest.get(placeKey({ beganAt: beganAt(account) ?? 0, targetId: account.id }))
    if (before === undefined) return [placed(account, 1)]
    return before.asOf > account.seq ? [] : [placed(account, placeOf(before.one).number + 1)]
  })
}

/**
 * Those that began last: so many, or more where several began in one moment. A page of a fleet's history is a small part
 * of what lasts, and is put together often.
 */
function newestOf(accounts: readonly Account[], beganAt: (account: Account) => number, count: number) {
  if (accounts.length <= count) return accounts
  const since = Float64Array.from(accounts, beganAt).sort()[accounts.length - count] ?? 0
  return accounts.filter((account) => beganAt(account) >= since)
}

/**
 * Of each target the period that the moment fell into: the one that lasts, or one that is over.
 *
 * @param lasting `openIn`, from before `closed` was read
 */
export async function withOpenStates(
  lasting: readonly Account[],
  at: Date,
  closed: readonly PastState[],
): Promise<PastState[]> {
  const over = new Set(closed.map(({ newest }) => newest.report.key))
  const states = [...closed]
  for (const [index, { record }] of lasting.entries()) {
    if (index % ACCOUNTS_AT_ONCE === ACCOUNTS_AT_ONCE - 1) await nextTurn()
    if (record.period.beganAt > at.getTime() || over.has(record.newest.report.key)) continue
    states.push({ ...record, endedAt: Number.POSITIVE_INFINITY })
  }
  return states
}

export function rangeOf(ledger: Ledger, query: HistoryQuery): RangeQuery {
  const { from, to, limit, after } = query
  return { targetIds: targetIdsIn(ledger, query), from: from.getTime(), to: to.getTime(), limit, after }
}

/** The numbers of the targets that a query names; null when it names none in particular. */
export function targetIdsIn(ledger: Ledger, { targets }: HistoryQuery): number[] | null {
  return targets === null ? null : accountsOf(ledger, targets).map(({ id }) => id)
}

function placeKey({ targetId, beganAt }: Pick<Cursor, 'beganAt' | 'targetId'>): string {
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
