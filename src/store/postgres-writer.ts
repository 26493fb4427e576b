import type { Epoch } from '../domain/epoch.ts'
import type { Target } from '../domain/report.ts'
import { type LateArrivals, lateKey, reportIdOf, type Unsure } from './ledger.ts'
import { KEPT_EPOCHS } from './lineage.ts'
import type { Session } from './postgres-connection.ts'
import { COLUMNS, fromNew, UNUSED_CONTENTS, type Writes } from './rows.ts'

type Table = keyof typeof COLUMNS

const TEXTS = new Set(
  ['digest', 'text', 'repo', 'server', 'report', 'content', 'check_json', 'known_content', 'known_check'].concat([
    'files_since',
    'recent',
  ]),
)

// One statement, so one round trip, whatever a group of reports changes. Rows travel as JSON: one parameter for each
// table, however many there are.
const WRITE = `
  WITH ${[
    `content_row AS (
      INSERT INTO content (digest, text, used_at) SELECT digest, text, ${now()} FROM ${given('content', 1)}
      ON CONFLICT (digest) DO UPDATE SET used_at = excluded.used_at WHERE content.used_at < excluded.used_at - 3600000)`,
    `target_row AS (${insertInto('target', 2)} ON CONFLICT (id) DO UPDATE SET ${fromNew('target', 'id')})`,
    `contact_row AS (${insertInto('contact', 3)} ON CONFLICT (target) DO UPDATE SET ${fromNew('contact', 'target')})`,
    `period_row AS (${insertInto('period', 4)})`,
    `episode_row AS (${insertInto('episode', 5)})`,
    `late_row AS (${insertInto('late_report', 6)})`,
  ].join(',\n')}
  UPDATE feed SET seq = $7`

/** Inside the caller's transaction, under the lock of `feed`. */
export async function write(session: Session, seq: number, writes: Writes): Promise<void> {
  const { contents, targets, contacts, periods, episodes, late } = writes
  const tables = [contents, targets, contacts, periods, episodes, late]
  await session.rows(WRITE, [...tables.map((rows) => JSON.stringify(rows)), seq])
}

/** Inside the transaction of its first change. */
export async function begin(session: Session, { name, after }: Epoch): Promise<void> {
  await session.rows('INSERT INTO epoch (after_seq, name) VALUES ($1, $2)', [after, name])
  await session.rows(
    'DELETE FROM epoch WHERE after_seq <= (SELECT after_seq FROM epoch ORDER BY after_seq DESC LIMIT 1 OFFSET $1)',
    [KEPT_EPOCHS],
  )
}

export async function lateArrivals(session: Session, { lookUp }: Unsure): Promise<LateArrivals> {
  const questions = lookUp.map(({ targetId, value }) => ({ target: targetId, report: reportIdOf(value.report) }))
  const found = await session.rows<{ target: number; report: string; arrived_at: number }>(
    `SELECT target, report, arrived_at FROM late_report
     WHERE (target, report) IN (SELECT target, report FROM json_to_recordset($1) AS one(target bigint, report text))`,
    [JSON.stringify(questions)],
  )
  const arrivals = new Map<string, Date | null>(questions.map(({ target, report }) => [lateKey(target, report), null]))
  for (const { target, report, arrived_at } of found) arrivals.set(lateKey(target, report), new Date(arrived_at))
  return arrivals
}

/** Inside the caller's transaction, under the lock of `feed`. */
export async function remove(
  session: Session,
  { id, repo, server, seq, at }: Target & { readonly id: number; readonly seq: number; readonly at: number },
): Promise<void> {
  await session.rows(
    `WITH ${OF_TARGET.map(([table, key]) => `of_${table} AS (DELETE FROM ${table} WHERE ${key} = $1)`).join(', ')},
     tombstone AS (INSERT INTO removed (seq, repo, server, at) VALUES ($2, $3, $4, $5))
     UPDATE feed SET seq = $2`,
    [id, seq, repo, server, at],
  )
}

const OF_TARGET = [
  ['target', 'id'],
  ['contact', 'target'],
  ['period', 'target'],
  ['episode', 'target'],
  ['late_report', 'target'],
] as const

/** Of two servers on one database the later moment counts. */
export async function touch(session: Session, at: number): Promise<void> {
  await session.rows(
    'INSERT INTO alive VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = greatest(alive.at, excluded.at)',
    [at],
  )
}

const PRUNINGS = [
  'DELETE FROM period WHERE id IN (SELECT id FROM period WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)',
  `DELETE FROM episode WHERE id IN (
     SELECT id FROM episode WHERE first_clean_at < $1 ORDER BY first_clean_at LIMIT $2)`,
  `DELETE FROM late_report WHERE (target, report) IN (
     SELECT target, report FROM late_report WHERE arrived_at < $1 ORDER BY arrived_at LIMIT $2)`,
  // A server that has not reached the database for a month would go on showing what was removed meanwhile.
  'DELETE FROM removed WHERE seq IN (SELECT seq FROM removed WHERE at < $1 - 2592000000 ORDER BY seq LIMIT $2)',
]

/** At most so many rows of each kind. Resolves to how many are gone. Needs no lock: nothing that is written refers to them. */
export async function prune(session: Session, before: number, limit: number): Promise<number> {
  let pruned = 0
  for (const pruning of PRUNINGS) {
    const [row] = await session.rows<{ count: number }>(
      `WITH gone AS (${pruning} RETURNING 1) SELECT count(*) AS count FROM gone`,
      [before, limit],
    )
    pruned += row?.count ?? 0
  }
  return pruned
}

/** What was found and nobody refers to any more, at most so many. */
export async function unusedContents(session: Session, limit: number, timeoutMs: number): Promise<string[]> {
  const results = await session.script(`
    BEGIN READ ONLY;
    SET LOCAL statement_timeout = ${timeoutMs};
    ${UNUSED_CONTENTS} AND used_at < ${now()} - ${UNUSED_FOR_MS} ORDER BY digest LIMIT ${limit};
    COMMIT`)
  const [, , rows = []] = results as [unknown, unknown, { digest: string }[]]
  return rows.map(({ digest }) => digest)
}

/**
 * Deletes contents that nobody referred to when they were looked up.
 *
 * A report that is being stored may refer to one since. It writes down that it does, when that was not done within the
 * hour, and what was used in the last two hours stays: so neither has to wait for the other.
 */
export async function pruneContents(session: Session, digests: readonly string[]): Promise<void> {
  await session.rows(`DELETE FROM content WHERE digest = ANY($1) AND used_at < ${now()} - ${UNUSED_FOR_MS}`, [digests])
}

const UNUSED_FOR_MS = 7_200_000

// By the database's clock: all servers on it share it.
function now(): string {
  return '(extract(epoch FROM now()) * 1000)::bigint'
}

function insertInto(table: Table, parameter: number): string {
  const names = COLUMNS[table].join(', ')
  return `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${given(table, parameter)}`
}

function given(table: Table, parameter: number): string {
  const columns = COLUMNS[table].map((name) => `${name} ${TEXTS.has(name) ? 'text' : 'bigint'}`)
  return `json_to_recordset($${parameter}) AS given(${columns.join(', ')})`
}
