import { type Target, targetKey } from '../domain/report.ts'
import type { Account, Ledger } from './ledger.ts'
import type { Cursor, HistoryQuery, PastEpisode, PastPeriod, PastState } from './store.ts'

/** What lasts now is not in the tables of what is over: the ledger has it, and the two are put together here. */
export function withOpenPeriods(ledger: Ledger, query: HistoryQuery, closed: readonly PastPeriod[]): PastPeriod[] {
  const open = accountsIn(ledger, query)
    .map(({ id, record }) => ({ ...record, targetId: id, endedAt: null }))
    .filter(({ targetId, period }) => isIn(query, { beganAt: period.beganAt, targetId }))
  return newestFirst([...open, ...closed], ({ targetId, period }) => ({ beganAt: period.beganAt, targetId }), query)
}

export function withOpenEpisodes(ledger: Ledger, query: HistoryQuery, closed: readonly PastEpisode[]): PastEpisode[] {
  const open = accountsIn(ledger, query).flatMap(({ id, record: { newest, episode } }) =>
    episode === null ? [] : [{ ...episode, target: newest.report.target, targetId: id }],
  )
  const at = ({ targetId, firstDirtyAt }: PastEpisode) => ({ beganAt: firstDirtyAt, targetId })
  return newestFirst([...open.filter((one) => isIn(query, at(one))), ...closed], at, query)
}

/** Of each target the period that the moment fell into: the one that lasts, or one that is over. */
export function withOpenStates(ledger: Ledger, at: Date, closed: readonly PastState[]): PastState[] {
  const states = new Map(closed.map((state) => [targetKey(state.newest.report.target), state]))
  for (const { record } of ledger.accounts()) {
    if (record.period.beganAt > at.getTime()) continue
    states.set(targetKey(record.newest.report.target), { ...record, endedAt: Number.POSITIVE_INFINITY })
  }
  return [...states.values()]
}

/** The numbers of the targets that a query names; null when it names none in particular. */
export function targetIdsIn(ledger: Ledger, { targets }: HistoryQuery): number[] | null {
  return targets === null ? null : accountsOf(ledger, targets).map(({ id }) => id)
}

function accountsIn(ledger: Ledger, { targets }: HistoryQuery): Account[] {
  return targets === null ? [...ledger.accounts()] : accountsOf(ledger, targets)
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
