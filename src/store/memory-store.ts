import type { ReportBody } from '../contract/report.ts'
import type { Episode } from '../domain/episode.ts'
import { Fault } from '../domain/fault.ts'
import type { ClosedPeriod } from '../domain/period.ts'
import type { Target } from '../domain/report.ts'
import type { AuditEntry, Token } from '../domain/token.ts'
import { Changes } from './changes.ts'
import { openIn, targetIdsIn, withOpenEpisodes, withOpenPeriods, withOpenStates } from './history.ts'
import { Ledger, lateKey, type Of, reportIdOf } from './ledger.ts'
import { FIRST_EPOCH_AFTER, newEpochName } from './lineage.ts'
import type { Cursor, HistoryQuery, Store } from './store.ts'

export interface MemoryStore extends Store {
  /** From now on nothing can be written, or it can again. */
  setWritable(writable: boolean): void
}

/** Keeps everything until the process ends: for tests. */
export function createMemoryStore(): MemoryStore {
  const ledger = new Ledger()
  const epochs = [{ name: newEpochName(), after: FIRST_EPOCH_AFTER }]
  const told = new Changes()
  let periods: (Of<ClosedPeriod<ReportBody>> & { number: number })[] = []
  let episodes: (Of<Episode> & { target: Target; number: number })[] = []
  let newestPeriod = 0
  let newestEpisode = 0
  let late = new Map<string, Date>()
  let aliveAt: Date | null = null
  const tokens = new Map<string, Token>()
  const auditLog: AuditEntry[] = []
  let isWritable = true

  function refuseUnlessWritable() {
    if (!isWritable) throw new Fault('store_unavailable', 'The store cannot be written to')
  }

  return {
    append: (received) =>
      told.inTurn(async () => {
        refuseUnlessWritable()
        const plan = await ledger.planKnowing(received, ({ lookUp }) => {
          const keys = lookUp.map(({ targetId, value }) => lateKey(targetId, reportIdOf(value.report)))
          return new Map(keys.map((key) => [key, late.get(key) ?? null]))
        })

        periods.push(...plan.periods.map((one) => ({ ...one, number: ++newestPeriod })))
        for (const { targetId, value } of plan.late)
          late.set(lateKey(targetId, reportIdOf(value.report)), value.arrivedAt)
        ledger.apply(plan)
        const targets = new Map([...ledger.accounts()].map(({ id, record }) => [id, record.newest.report.target]))
        for (const { targetId, value } of plan.episodes) {
          const target = targets.get(targetId)
          if (target !== undefined) episodes.push({ targetId, value, target, number: ++newestEpisode })
        }
        told.publish(plan.changes)
        return [...plan.appended]
      }),

    remove: (target) =>
      told.inTurn(() => {
        refuseUnlessWritable()
        const id = ledger.account(target)?.id
        if (id === undefined) return false
        ledger.forget(target)
        ledger.reach(ledger.seq + 1)
        periods = periods.filter(({ targetId }) => targetId !== id)
        episodes = episodes.filter(({ targetId }) => targetId !== id)
        late = new Map([...late].filter(([key]) => !key.startsWith(`${id} `)))
        told.publish([{ seq: ledger.seq, removed: target }])
        return true
      }),

    async latest() {
      return { records: [...ledger.accounts()], seq: ledger.seq, aliveAt }
    },

    subscribe: told.subscribe,

    epochs: () => epochs,

    following: () => null,

    async statesAt(at) {
      const closed = periods.map(({ value }) => value)
      return withOpenStates(
        openIn(ledger),
        at,
        closed.filter(({ period, endedAt }) => period.beganAt <= at.getTime() && at.getTime() < endedAt),
      )
    },

    async periods(query) {
      const isAsked = isIn(query)
      const closed = periods
        .filter(({ targetId, number, value }) =>
          isAsked({ beganAt: value.period.beganAt, targetId, number }, value.endedAt),
        )
        .map(({ targetId, number, value }) => ({ one: { ...value, targetId, number }, asOf: 0 }))
      return withOpenPeriods(openIn(ledger, query), query, closed)
    },

    async episodes(query) {
      const isAsked = isIn(query)
      const closed = episodes
        .filter(({ targetId, number, value }) =>
          isAsked({ beganAt: value.firstDirtyAt, targetId, number }, value.firstCleanAt ?? value.lastDirtyAt),
        )
        .map(({ targetId, number, value, target }) => ({ one: { ...value, targetId, number, target }, asOf: 0 }))
      return withOpenEpisodes(openIn(ledger, query), query, closed)
    },

    async prune(before) {
      refuseUnlessWritable()
      const held = periods.length + episodes.length + late.size
      periods = periods.filter(({ value }) => value.endedAt >= before.getTime())
      episodes = episodes.filter(({ value }) => (value.firstCleanAt ?? value.lastDirtyAt) >= before.getTime())
      late = new Map([...late].filter(([, arrivedAt]) => arrivedAt >= before))
      return held - periods.length - episodes.length - late.size
    },

    async touch(at) {
      refuseUnlessWritable()
      aliveAt = at
    },

    tokens: {
      list: async () => [...tokens.values()],

      async put(token, entry) {
        refuseUnlessWritable()
        const taken = [...tokens.values()].some(({ id, digest }) => id !== token.id && digest === token.digest)
        if (taken) throw new Fault('store_unavailable', 'There is a token of that digest')
        tokens.set(token.id, endedBy(tokens.get(token.id), token))
        auditLog.unshift(entry)
      },

      async noteUse(uses) {
        refuseUnlessWritable()
        for (const { id, at } of uses) {
          const token = tokens.get(id)
          if (token !== undefined && (token.usedAt ?? 0) < at) tokens.set(id, { ...token, usedAt: at })
        }
      },

      async audit(entry) {
        refuseUnlessWritable()
        auditLog.unshift(entry)
      },

      auditLog: async (limit) => auditLog.slice(0, limit),
    },

    async close() {},

    setWritable(writable) {
      isWritable = writable
    },
  }

  function isIn(query: HistoryQuery): (place: Cursor, endedAt: number) => boolean {
    const listed = targetIdsIn(ledger, query)
    const ids = listed === null ? null : new Set(listed)
    const { from, to, after } = query
    return ({ beganAt, targetId, number }, endedAt) =>
      (ids?.has(targetId) ?? true) &&
      beganAt <= to.getTime() &&
      endedAt >= from.getTime() &&
      (after === null ||
        beganAt < after.beganAt ||
        (beganAt === after.beganAt &&
          (targetId < after.targetId || (targetId === after.targetId && number < after.number))))
  }
}

function endedBy(known: Token | undefined, { revokedAt, expiresAt, ...token }: Token): Token {
  if (known === undefined) return { ...token, revokedAt, expiresAt }
  const ends = [known.expiresAt, expiresAt].filter((end) => end !== null)
  return {
    ...known,
    revokedAt: known.revokedAt ?? revokedAt,
    expiresAt: ends.length === 0 ? null : Math.min(...ends),
  }
}
