import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Epoch } from '../domain/epoch.ts'
import type { Target } from '../domain/report.ts'
import { type LateArrivals, lateKey, reportIdOf, type Unsure } from './ledger.ts'
import { KEPT_EPOCHS } from './lineage.ts'
import { COLUMNS, fromNew, type PackedWrites } from './rows.ts'

/** Which late reports the store is asked for. */
export interface LateQuestion {
  readonly targetId: number
  readonly reportId: string
}

export interface Writer {
  /** Inside the caller's transaction, with the first change of it. */
  begin(epoch: Epoch): void
  /** Inside the caller's transaction. */
  write(writes: PackedWrites): void
  lateArrivals(unsure: Unsure): LateArrivals
  lateArrivalsOf(questions: readonly LateQuestion[]): (number | null)[]
  remove(target: Target & { readonly id: number; readonly seq: number; readonly at: number }): void
  touch(at: number): void
  /** At most so many rows of each kind. Returns how many. */
  prune(before: number, limit: number): number
  /** From now on it is noted which contents reports refer to; or not any more. */
  watchContents(isOn: boolean): void
  /** Deletes contents that nobody referred to when they were looked up, but for those that were used since. */
  pruneContents(digests: readonly string[]): number
}

type Table = keyof typeof COLUMNS

/** Everything that changes a database, in SQL. */
export function createWriter(db: DatabaseSync): Writer {
  const insert = {
    content: db.prepare(`${insertInto('content')} ON CONFLICT DO NOTHING`),
    target: db.prepare(`${insertInto('target')} ON CONFLICT (id) DO UPDATE SET ${fromNew('target', 'id')}`),
    contact: db.prepare(`${insertInto('contact')} ON CONFLICT (target) DO UPDATE SET ${fromNew('contact', 'target')}`),
    period: db.prepare(insertInto('period')),
    episode: db.prepare(insertInto('episode')),
    late_report: db.prepare(insertInto('late_report')),
  } satisfies Record<Table, StatementSync>
  const findLate = db.prepare('SELECT arrived_at FROM late_report WHERE target = ? AND report = ?')
  const touchAlive = db.prepare('INSERT INTO alive VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at')

  const removals = ['target WHERE id', ...OF_TARGET.map((table) => `${table} WHERE target`)].map((rows) =>
    db.prepare(`DELETE FROM ${rows} = ?`),
  )
  const addRemoved = db.prepare('INSERT INTO removed (seq, repo, server, at) VALUES (?, ?, ?, ?)')

  const prunings = [
    db.prepare('DELETE FROM period WHERE id IN (SELECT id FROM period WHERE ended_at < ? ORDER BY ended_at LIMIT ?)'),
    db.prepare(
      'DELETE FROM episode WHERE id IN (SELECT id FROM episode WHERE first_clean_at < ? ORDER BY first_clean_at LIMIT ?)',
    ),
    db.prepare(
      'DELETE FROM late_report WHERE (target, report) IN (SELECT target, report FROM late_report WHERE arrived_at < ? ORDER BY arrived_at LIMIT ?)',
    ),
    // The newest number stays, so that it is not given out again.
    db.prepare(
      'DELETE FROM removed WHERE seq IN (SELECT seq FROM removed WHERE at < ? AND seq < (SELECT max(seq) FROM removed) LIMIT ?)',
    ),
  ]
  const deleteContent = db.prepare('DELETE FROM content WHERE digest = ?')
  let watched: Set<string> | null = null

  function lateArrivalsOf(questions: readonly LateQuestion[]): (number | null)[] {
    return questions.map(({ targetId, reportId }) => {
      const found = findLate.get(targetId, reportId)
      return found === undefined ? null : Number(found.arrived_at)
    })
  }

  return {
    // Once in the life of a process, so it is not worth keeping prepared.
    begin({ name, after }) {
      db.prepare('INSERT OR REPLACE INTO epoch (after_seq, name) VALUES (?, ?)').run(after, name)
      db.prepare(
        'DELETE FROM epoch WHERE after_seq <= (SELECT after_seq FROM epoch ORDER BY after_seq DESC LIMIT 1 OFFSET ?)',
      ).run(KEPT_EPOCHS)
    },

    write(writes) {
      for (const [table, statement] of Object.entries(insert)) {
        const values = writes[table as Table] // the tables of `insert` are all there are
        const width = COLUMNS[table as Table].length
        for (let at = 0; at < values.length; at += width) statement.run(...values.slice(at, at + width))
      }
      for (let at = 0; at < writes.content.length; at += COLUMNS.content.length)
        watched?.add(String(writes.content[at]))
    },

    lateArrivals({ lookUp }) {
      const questions = questionsOf({ lookUp })
      return arrivalsOf(questions, lateArrivalsOf(questions))
    },

    lateArrivalsOf,

    remove({ id, repo, server, seq, at }) {
      for (const removal of removals) removal.run(id)
      addRemoved.run(seq, repo, server, at)
    },

    touch(at) {
      touchAlive.run(at)
    },

    prune(before, limit) {
      return prunings.reduce((sum, statement) => sum + Number(statement.run(before, limit).changes), 0)
    },

    watchContents(isOn) {
      watched = isOn ? new Set() : null
    },

    pruneContents(digests) {
      const unused = digests.filter((digest) => !watched?.has(digest))
      return unused.reduce((sum, digest) => sum + Number(deleteContent.run(digest).changes), 0)
    },
  }
}

/** Tables whose rows go with their target. */
const OF_TARGET: readonly Table[] = ['contact', 'period', 'episode', 'late_report']

export function questionsOf({ lookUp }: Unsure): LateQuestion[] {
  return lookUp.map(({ targetId, value }) => ({ targetId, reportId: reportIdOf(value.report) }))
}

export function arrivalsOf(questions: readonly LateQuestion[], arrivals: readonly (number | null)[]): LateArrivals {
  return new Map(
    questions.map(({ targetId, reportId }, index) => {
      const arrivedAt = arrivals[index] ?? null
      return [lateKey(targetId, reportId), arrivedAt === null ? null : new Date(arrivedAt)]
    }),
  )
}

function insertInto(table: Table): string {
  const names: readonly string[] = COLUMNS[table]
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
}
