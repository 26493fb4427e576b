import type { DatabaseSync } from 'node:sqlite'
import type { Epoch } from '../domain/epoch.ts'
import type { Target } from '../domain/report.ts'
import type { RangeQuery } from './history.ts'
import {
  COLUMNS,
  type ContactRow,
  type ContentRow,
  type EpisodeRow,
  type PeriodRow,
  type Placed,
  type TargetRow,
  UNUSED_CONTENTS,
} from './rows.ts'

/** Rows and the contents that they refer to. */
export interface PeriodRows<Row = PeriodRow & Target> {
  readonly rows: readonly Row[]
  readonly contents: readonly ContentRow[]
}

export interface AccountRows {
  readonly rows: readonly { readonly target: TargetRow; readonly contact: ContactRow }[]
  readonly contents: readonly ContentRow[]
}

export interface StatesPage {
  readonly afterTarget: number
  readonly limit: number
}

export interface Reader {
  /** What was found and nobody refers to any more, at most so many. */
  unusedContents(limit: number): string[]
  /** Every target in pages of so many, and what was found, each once. */
  accounts(pageSize: number): Iterable<AccountRows>
  newestRemoval(): number
  epochs(): Epoch[]
  aliveAt(): number | null
  /** Of so many targets, in the order of their numbers: of each what fell into that moment, or began last before it. */
  statesAt(at: number, page: StatesPage): PeriodRows
  periods(query: RangeQuery): PeriodRows<PeriodRow & Placed>
  episodes(query: RangeQuery): (EpisodeRow & Placed)[]
}

/** Everything that is asked of a database, in SQL. */
export function createReader(db: DatabaseSync): Reader {
  const readAccounts = db.prepare(`
    SELECT ${COLUMNS.target.map((name) => `target.${name}`).join(', ')},
      ${COLUMNS.contact.map((name) => `contact.${name} AS contact_${name}`).join(', ')}
    FROM target JOIN contact ON contact.target = target.id WHERE target.id > ? ORDER BY target.id LIMIT ?`)
  const readContents = db.prepare('SELECT digest, text FROM content WHERE digest IN (SELECT value FROM json_each(?))')

  // Most targets have not changed since that moment: the ledger knows them, and only the others are looked up.
  const readStatesAt = db.prepare(`
    SELECT period.*, repo, server FROM target JOIN period ON period.id = (
      SELECT id FROM period WHERE target = target.id AND began_at <= :at ORDER BY began_at DESC LIMIT 1)
    WHERE period_began_at > :at AND target.id > :afterTarget ORDER BY target.id LIMIT :limit`)

  const PLACE_OF_PERIOD = { table: 'period', beginning: 'began_at', end: 'ended_at' }
  const PLACE_OF_EPISODE = { table: 'episode', beginning: 'first_dirty_at', end: 'first_clean_at' }
  const readRange = {
    period: { ofAll: db.prepare(range(PLACE_OF_PERIOD, false)), ofSome: db.prepare(range(PLACE_OF_PERIOD, true)) },
    episode: { ofAll: db.prepare(range(PLACE_OF_EPISODE, false)), ofSome: db.prepare(range(PLACE_OF_EPISODE, true)) },
  }

  function inRange(table: 'period' | 'episode', { targetIds, from, to, limit, after }: RangeQuery): unknown[] {
    const params = {
      from,
      to,
      limit,
      after_beginning: after?.beganAt ?? Number.MAX_SAFE_INTEGER,
      after_target: after?.targetId ?? 0,
      after_id: after?.number ?? 0,
    }
    const { ofAll, ofSome } = readRange[table]
    return targetIds === null ? ofAll.all(params) : ofSome.all({ ...params, targets: JSON.stringify(targetIds) })
  }

  function contentsOf(digests: Iterable<string | null>): ContentRow[] {
    const wanted = [...new Set(digests)].filter((digest) => digest !== null)
    return wanted.length === 0 ? [] : (readContents.all(JSON.stringify(wanted)) as unknown as ContentRow[])
  }

  function withContents<Row extends PeriodRow>(rows: readonly Row[]): PeriodRows<Row> {
    return { rows, contents: contentsOf(rows.flatMap(({ content, known_content }) => [content, known_content])) }
  }

  return {
    unusedContents: (limit) =>
      db
        .prepare(`${UNUSED_CONTENTS} LIMIT ?`)
        .all(limit)
        .map(({ digest }) => String(digest)),

    *accounts(pageSize) {
      const sent = new Set<string>()
      for (let newestId = 0; ; ) {
        const rows = readAccounts.all(newestId, pageSize).map((row) => ({
          target: pick<TargetRow>(row, COLUMNS.target, ''),
          contact: pick<ContactRow>(row, COLUMNS.contact, 'contact_'),
        }))
        const last = rows.at(-1)
        if (last === undefined) return
        newestId = last.target.id
        const digests = rows.flatMap(({ target, contact }) => [contact.content, target.known_content])
        const fresh = digests.filter((digest) => digest !== null && !sent.has(digest))
        for (const digest of fresh) if (digest !== null) sent.add(digest)
        yield { rows, contents: contentsOf(fresh) }
      }
    },

    newestRemoval: () => Number(db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM removed').get()?.seq),

    epochs: () =>
      db
        .prepare('SELECT name, after_seq FROM epoch ORDER BY after_seq')
        .all()
        .map(({ name, after_seq }) => ({ name: String(name), after: Number(after_seq) })),

    aliveAt() {
      const row = db.prepare('SELECT at FROM alive').get()
      return row === undefined ? null : Number(row.at)
    },

    statesAt: (at, page) => withContents(readStatesAt.all({ at, ...page }) as unknown as (PeriodRow & Target)[]),

    periods: (query) => withContents(inRange('period', query) as (PeriodRow & Placed)[]),

    episodes: (query) => inRange('episode', query) as (EpisodeRow & Placed)[],
  }
}

function range({ table, beginning, end }: { table: string; beginning: string; end: string }, ofSome: boolean): string {
  return `
    SELECT ${table}.*, repo, server, seq FROM ${table} JOIN target ON target.id = ${table}.target
      JOIN contact ON contact.target = ${table}.target
    WHERE ${beginning} <= :to AND ${end} >= :from
      AND (${beginning}, ${table}.target, ${table}.id) < (:after_beginning, :after_target, :after_id)
      ${ofSome ? `AND ${table}.target IN (SELECT value FROM json_each(:targets))` : ''}
    ORDER BY ${beginning} DESC, ${table}.target DESC, ${table}.id DESC LIMIT :limit`
}

function pick<Row>(row: Record<string, unknown>, names: readonly string[], prefix: string): Row {
  return Object.fromEntries(names.map((name) => [name, row[prefix + name]])) as Row // the columns that were asked for
}
