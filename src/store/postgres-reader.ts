import type { Epoch } from '../domain/epoch.ts'
import type { Target } from '../domain/report.ts'
import { type Over, type RangeQuery, STATES_AT_ONCE } from './history.ts'
import type { Account } from './ledger.ts'
import type { Session } from './postgres-connection.ts'
import {
  COLUMNS,
  type ContactRow,
  type ContentRow,
  type EpisodeRow,
  episodeOf,
  type PeriodRow,
  type Placed,
  RowReader,
  type TargetRow,
} from './rows.ts'
import type { PastPeriod, PastState } from './store.ts'

/** What was recorded after a number. */
export interface News {
  /** The newest number that was given out, */
  readonly seq: number
  /** and up to which this has everything. */
  readonly upTo: number
  /** In the order of their numbers. */
  readonly changes: readonly (Account | Tombstone)[]
  /** From the newest one on that was known. */
  readonly epochs: readonly Epoch[]
}

export interface Tombstone extends Target {
  readonly seq: number
}

const ACCOUNT = `
  ${COLUMNS.target.map((name) => `target.${name}`).join(', ')},
  ${COLUMNS.contact.map((name) => `contact.${name} AS contact_${name}`).join(', ')}
  FROM contact JOIN target ON target.id = contact.target`

/** How many targets are read at once. */
export const PAGE = 5_000

// Several statements that answer about one moment.
const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

export async function newestSeq(session: Session): Promise<number> {
  const [row] = await session.rows<{ seq: number }>('SELECT seq FROM feed')
  return seqOf(row)
}

/**
 * Begins a transaction that nobody else writes in, on this server or another, and resolves to the newest number.
 *
 * A lock on a row and not one of PostgreSQL's advisory ones: databases that only speak its language have it, too.
 */
export async function lockFeed(session: Session): Promise<number> {
  const [, rows = []] = await session.script('BEGIN; SELECT seq FROM feed FOR UPDATE')
  return seqOf(rows[0] as { seq: number } | undefined)
}

/** Everything, in pages, and then the newest number. All as of one moment. */
export async function readAll(session: Session, onPage: (accounts: Account[]) => void) {
  await session.script(BEGIN_READING)
  const reader = new RowReader()
  for (let newestId = 0; ; ) {
    const rows = await session.rows<AccountRow>(
      `SELECT ${ACCOUNT} WHERE target.id > $1 ORDER BY target.id LIMIT ${PAGE}`,
      [newestId],
    )
    const last = rows.at(-1)
    if (last === undefined) break
    newestId = last.id
    await addContents(
      session,
      reader,
      rows.flatMap(({ contact_content, known_content }) => [contact_content, known_content]),
    )
    onPage(rows.map((row) => accountOf(reader, row)))
  }
  const seq = await newestSeq(session)
  const [alive] = await session.rows<{ at: number }>('SELECT at FROM alive')
  const epochs = await session.rows<EpochRow>('SELECT name, after_seq FROM epoch ORDER BY after_seq')
  await session.script('COMMIT')
  return { seq, aliveAt: alive?.at ?? null, epochs: epochs.map(epochOf) }
}

export interface Known {
  readonly seq: number
  /** Where the newest epoch begins. */
  readonly epochAfter: number
}

/** @param isLocked The caller holds the lock of `feed`, so that nothing changes meanwhile. */
export async function readNews(session: Session, { seq: known, epochAfter }: Known, isLocked: boolean): Promise<News> {
  const changed = `contact.seq > ${known} ORDER BY contact.seq LIMIT ${PAGE}`
  const results = await session.script(`
    ${isLocked ? 'SELECT' : BEGIN_READING};
    SELECT seq FROM feed;
    SELECT ${ACCOUNT} WHERE ${changed};
    WITH changed AS (
      SELECT contact.content, target.known_content FROM contact JOIN target ON target.id = contact.target WHERE ${changed})
    SELECT digest, text FROM content WHERE digest IN (
      SELECT content FROM changed UNION SELECT known_content FROM changed WHERE known_content IS NOT NULL);
    SELECT seq, repo, server FROM removed WHERE seq > ${known} ORDER BY seq;
    SELECT name, after_seq FROM epoch WHERE after_seq >= ${epochAfter} ORDER BY after_seq;
    ${isLocked ? 'SELECT' : 'COMMIT'}`)
  const [, feed = [], accounts = [], contents = [], tombstones = [], epochs = []] = results as [
    unknown,
    { seq: number }[],
    AccountRow[],
    ContentRow[],
    Tombstone[],
    EpochRow[],
  ]
  const reader = new RowReader()
  for (const content of contents) reader.addContent(content)
  const seq = seqOf(feed[0])
  const upTo = accounts.length < PAGE ? seq : Number(accounts.at(-1)?.contact_seq)
  const changes = [
    ...accounts.map((row) => accountOf(reader, row)),
    ...tombstones.filter((tombstone) => tombstone.seq <= upTo),
  ]
  return { seq, upTo, changes: changes.sort((a, b) => a.seq - b.seq), epochs: epochs.map(epochOf) }
}

/** In pages, all as of one moment. */
export async function readStatesAt(session: Session, at: number): Promise<{ readonly closed: readonly PastState[] }> {
  await session.script(BEGIN_READING)
  const closed: PastState[] = []
  for (let after = 0; ; ) {
    // Most targets have not changed since that moment: the ledger knows them, and only the others are looked up.
    const rows = await session.rows<PeriodRow & Target>(
      `SELECT period.*, repo, server FROM target JOIN LATERAL (
         SELECT * FROM period WHERE period.target = target.id AND began_at <= $1 ORDER BY began_at DESC LIMIT 1
       ) AS period ON true
       WHERE period_began_at > $1 AND target.id > $2 ORDER BY target.id LIMIT $3`,
      [at, after, STATES_AT_ONCE],
    )
    const reader = new RowReader()
    await addContents(
      session,
      reader,
      rows.flatMap(({ content, known_content }) => [content, known_content]),
    )
    for (const row of rows) if (at < row.ended_at) closed.push(reader.period(row))
    const last = rows.at(-1)
    if (last === undefined || rows.length < STATES_AT_ONCE) break
    after = last.target
  }
  await session.script('COMMIT')
  return { closed }
}

export async function readPeriodsIn(
  session: Session,
  query: RangeQuery,
): Promise<{ readonly closed: readonly Over<PastPeriod>[] }> {
  await session.script(BEGIN_READING)
  const rows = await session.rows<PeriodRow & Placed>(
    range({ table: 'period', beginning: 'began_at', end: 'ended_at' }),
    valuesOf(query),
  )
  const reader = new RowReader()
  await addContents(
    session,
    reader,
    rows.flatMap(({ content, known_content }) => [content, known_content]),
  )
  await session.script('COMMIT')
  return { closed: rows.map((row) => reader.pastPeriod(row)) }
}

export async function readEpisodesIn(session: Session, query: RangeQuery) {
  const rows = await session.rows<EpisodeRow & Placed>(
    range({ table: 'episode', beginning: 'first_dirty_at', end: 'first_clean_at' }),
    valuesOf(query),
  )
  return { closed: rows.map(episodeOf) }
}

async function addContents(session: Session, reader: RowReader, digests: readonly (string | null)[]): Promise<void> {
  const wanted = [...new Set(digests)].filter((digest) => digest !== null && !reader.hasContent(digest))
  if (wanted.length === 0) return
  const rows = await session.rows<ContentRow>('SELECT digest, text FROM content WHERE digest = ANY($1)', [wanted])
  for (const row of rows) reader.addContent(row)
}

function range({ table, beginning, end }: { table: string; beginning: string; end: string }): string {
  return `
    SELECT ${table}.*, repo, server, seq FROM ${table} JOIN target ON target.id = ${table}.target
      JOIN contact ON contact.target = ${table}.target
    WHERE ${beginning} <= $1 AND ${end} >= $2
      AND (${beginning}, ${table}.target, ${table}.id) < ($3, $4, $5)
      AND ($6::bigint[] IS NULL OR ${table}.target = ANY($6))
    ORDER BY ${beginning} DESC, ${table}.target DESC, ${table}.id DESC LIMIT $7`
}

function valuesOf({ targetIds, from, to, limit, after }: RangeQuery): readonly unknown[] {
  const { beganAt = Number.MAX_SAFE_INTEGER, targetId = 0, number = 0 } = after ?? {}
  return [to, from, beganAt, targetId, number, targetIds, limit]
}

interface EpochRow {
  readonly name: string
  readonly after_seq: number
}

function epochOf({ name, after_seq }: EpochRow): Epoch {
  return { name, after: after_seq }
}

interface AccountRow extends TargetRow {
  readonly contact_seq: number
  readonly contact_content: string
}

function accountOf(reader: RowReader, row: AccountRow): Account {
  const fields = row as unknown as Record<string, unknown>
  const contact = Object.fromEntries(COLUMNS.contact.map((name) => [name, fields[`contact_${name}`]]))
  return reader.account(row, contact as unknown as ContactRow) // the columns that were asked for
}

function seqOf(row: { readonly seq: number } | undefined): number {
  if (row === undefined) throw new Error('The table feed has lost its row: restore a backup')
  return row.seq
}
