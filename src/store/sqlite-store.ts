import { CannotStart } from '../domain/cannot-start.ts'
import type { Epoch } from '../domain/epoch.ts'
import { Changes } from './changes.ts'
import { openIn, rangeOf, STATES_AT_ONCE, withOpenEpisodes, withOpenPeriods, withOpenStates } from './history.ts'
import { type LateArrivals, Ledger, type Unsure } from './ledger.ts'
import { Lineage, newEpochName } from './lineage.ts'
import { type ContentRow, DamagedRow, episodeOf, packed, RowReader, writesOf } from './rows.ts'
import type { AccountRows } from './sqlite-reader.ts'
import { startThread } from './sqlite-thread.ts'
import { arrivalsOf, questionsOf } from './sqlite-writer.ts'
import type { PastState, Store } from './store.ts'
import { tokenOf, tokenRowOf } from './token-store.ts'

// While history is pruned no report is stored: so many rows take a few milliseconds.
const PRUNED_AT_ONCE = 2_000
// The others go next time.
const CONTENTS_PRUNED_EACH_TIME = 200_000

/**
 * One SQLite file, which only this process writes. So the ledger can decide here, before anything is written, and the
 * file is told the outcome.
 *
 * @throws CannotStart
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const ledger = new Ledger()
  const writing = await startThread({ path, role: 'writes' }, loadInto(ledger, path))
  ledger.reach(writing.newestRemoval)
  const lineage = new Lineage()
  lineage.add(writing.epochs)
  let hasBegun = false
  // A database in memory has one connection.
  const lookingUp = path === ':memory:' ? writing : await startThread({ path, role: 'looks up' }, () => {})

  const told = new Changes()
  let aliveAt = writing.aliveAt === null ? null : new Date(writing.aliveAt)

  /** Writes what has numbers: the first time together with the epoch that begins with it. */
  async function writeNumbered(write: (begins: Epoch | null) => Promise<unknown>): Promise<void> {
    const begins = hasBegun ? null : { name: newEpochName(), after: ledger.seq }
    await write(begins)
    hasBegun = true
    if (begins !== null) lineage.add([begins])
  }

  async function lateArrivals(unsure: Unsure): Promise<LateArrivals> {
    const questions = questionsOf(unsure)
    return arrivalsOf(questions, await writing.ask({ ask: 'lateArrivals', questions }))
  }

  /**
   * Which contents nobody refers to is found out while reports are stored: one of these may refer to such a content again,
   * and it stays.
   */
  async function pruneContents(): Promise<number> {
    let pruned = 0
    await writing.ask({ ask: 'watchContents', isOn: true })
    try {
      const unused = await lookingUp.ask({ ask: 'unusedContents', limit: CONTENTS_PRUNED_EACH_TIME })
      for (let at = 0; at < unused.length; at += PRUNED_AT_ONCE) {
        pruned += await writing.ask({ ask: 'pruneContents', digests: unused.slice(at, at + PRUNED_AT_ONCE) })
      }
    } finally {
      await writing.ask({ ask: 'watchContents', isOn: false })
    }
    return pruned
  }

  return {
    append: (received) =>
      told.inTurn(async () => {
        const planned = await ledger.planKnowing(received, lateArrivals)
        if (planned.accounts.length > 0) {
          await writeNumbered((begins) => writing.ask({ ask: 'write', writes: packed(writesOf(planned)), begins }))
        } else if (planned.late.length > 0) {
          await writing.ask({ ask: 'write', writes: packed(writesOf(planned)), begins: null })
        }
        ledger.apply(planned)
        told.publish(planned.changes)
        return [...planned.appended]
      }),

    remove: (target, at) =>
      told.inTurn(async () => {
        const account = ledger.account(target)
        if (account === undefined) return false
        const { repo, server } = target
        const seq = ledger.seq + 1
        const removal = { repo, server, id: account.id, seq, at: at.getTime() }
        await writeNumbered((begins) => writing.ask({ ask: 'remove', target: removal, begins }))
        ledger.forget(target)
        ledger.reach(seq)
        told.publish([{ seq, removed: { repo, server } }])
        return true
      }),

    async latest() {
      return { records: [...ledger.accounts()], seq: ledger.seq, aliveAt }
    },

    subscribe: told.subscribe,

    epochs: () => lineage.epochs,

    following: () => null,

    async statesAt(at) {
      const lasting = openIn(ledger)
      const closed: PastState[] = []
      for (let afterTarget = 0; ; ) {
        const page = { afterTarget, limit: STATES_AT_ONCE }
        const { rows, contents } = await lookingUp.ask({ ask: 'statesAt', at: at.getTime(), page })
        const reader = readerOf(contents)
        for (const row of rows) if (at.getTime() < row.ended_at) closed.push(reader.period(row))
        const last = rows.at(-1)
        if (last === undefined || rows.length < STATES_AT_ONCE) break
        afterTarget = last.target
      }
      return withOpenStates(lasting, at, closed)
    },

    async periods(query) {
      const lasting = openIn(ledger, query)
      const { rows, contents } = await lookingUp.ask({ ask: 'periods', query: rangeOf(ledger, query) })
      const reader = readerOf(contents)
      return withOpenPeriods(
        lasting,
        query,
        rows.map((row) => reader.pastPeriod(row)),
      )
    },

    async episodes(query) {
      const lasting = openIn(ledger, query)
      const rows = await lookingUp.ask({ ask: 'episodes', query: rangeOf(ledger, query) })
      return withOpenEpisodes(lasting, query, rows.map(episodeOf))
    },

    async prune(before) {
      let pruned = 0
      for (;;) {
        const rows = await writing.ask({ ask: 'prune', before: before.getTime(), limit: PRUNED_AT_ONCE })
        pruned += rows
        if (rows === 0) break
      }
      return pruned + (await pruneContents())
    },

    async touch(at) {
      await writing.ask({ ask: 'touch', at: at.getTime() })
      aliveAt = at
    },

    tokens: {
      list: async () => (await lookingUp.ask({ ask: 'tokens' })).map(tokenOf),

      async put(token, entry) {
        await writing.ask({ ask: 'putToken', row: tokenRowOf(token), entry })
      },

      async noteUse(uses) {
        await writing.ask({ ask: 'noteUse', uses })
      },

      async audit(entry) {
        await writing.ask({ ask: 'audit', entry })
      },

      auditLog: (limit) => lookingUp.ask({ ask: 'auditLog', limit }),
    },

    async close() {
      await told.settled()
      if (lookingUp !== writing) await lookingUp.close()
      await writing.close()
    },
  }
}

function loadInto(ledger: Ledger, path: string): (page: AccountRows) => void {
  const reader = new RowReader()
  return ({ rows, contents }) => {
    try {
      for (const content of contents) reader.addContent(content)
      for (const { target, contact } of rows) ledger.load(reader.account(target, contact))
    } catch (error) {
      if (!(error instanceof DamagedRow)) throw error
      throw new CannotStart(`The database ${path} is damaged (${error.message}): restore a backup`, { cause: error })
    }
  }
}

function readerOf(contents: readonly ContentRow[]): RowReader {
  const reader = new RowReader()
  for (const content of contents) reader.addContent(content)
  return reader
}
