import { CannotStart } from '../domain/cannot-start.ts'
import type { Session } from './postgres-connection.ts'

/**
 * The n-th entry takes a database from schema n − 1 to schema n, in one transaction. Forward only; an entry that was
 * released is never changed. The numbers are those of SQLite's schema: 1 was never released for PostgreSQL.
 */
export const MIGRATIONS: readonly string[] = [
  '',
  `
  -- What was found, once for all checks and targets that share it.
  CREATE TABLE content (
    digest text PRIMARY KEY,
    text text NOT NULL,
    used_at bigint NOT NULL                  -- by this database's clock, to within an hour: see prune
  );

  CREATE TABLE target (
    id bigint PRIMARY KEY,
    repo text NOT NULL,
    server text NOT NULL,
    since bigint NOT NULL,                   -- milliseconds since 1970, as all times
    period_began_at bigint NOT NULL,
    period_first_check_at bigint NOT NULL,
    known_content text,                      -- the last finding, when it is not the newest report
    known_check text,
    known_arrived_at bigint,
    episode_last_clean_at bigint,
    episode_first_dirty_at bigint,
    episode_max_drift bigint,
    files_since text NOT NULL,
    UNIQUE (repo, server)
  );

  -- What changes with each check. Apart, so that a check that finds what the last one found writes little.
  CREATE TABLE contact (
    target bigint PRIMARY KEY,
    seq bigint NOT NULL,
    report text NOT NULL,
    content text NOT NULL,
    check_json text NOT NULL,
    arrived_at bigint NOT NULL,
    checks bigint NOT NULL,
    gaps bigint NOT NULL,
    missed bigint NOT NULL,
    episode_last_dirty_at bigint,
    episode_checks bigint,
    recent text NOT NULL
  );
  CREATE INDEX contact_by_seq ON contact (seq); -- what other servers recorded since

  -- Those that are over. The one that lasts is in target and contact.
  CREATE TABLE period (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target bigint NOT NULL,
    began_at bigint NOT NULL,
    ended_at bigint NOT NULL,
    first_check_at bigint NOT NULL,
    last_check_at bigint NOT NULL,
    last_arrived_at bigint NOT NULL,
    checks bigint NOT NULL,
    gaps bigint NOT NULL,
    missed bigint NOT NULL,
    content text NOT NULL,
    check_json text NOT NULL,
    known_content text,
    known_check text,
    known_arrived_at bigint
  );
  CREATE INDEX period_of_target ON period (target, began_at);
  CREATE INDEX period_by_beginning ON period (began_at, target);
  CREATE INDEX period_by_end ON period (ended_at);

  CREATE TABLE episode (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target bigint NOT NULL,
    last_clean_at bigint,
    first_dirty_at bigint NOT NULL,
    last_dirty_at bigint NOT NULL,
    first_clean_at bigint NOT NULL,
    checks bigint NOT NULL,
    max_drift bigint NOT NULL
  );
  CREATE INDEX episode_of_target ON episode (target, first_dirty_at);
  CREATE INDEX episode_by_beginning ON episode (first_dirty_at, target);
  CREATE INDEX episode_by_end ON episode (first_clean_at);

  CREATE TABLE late_report (
    target bigint NOT NULL,
    report text NOT NULL,
    arrived_at bigint NOT NULL,
    content text NOT NULL,
    check_json text NOT NULL,
    PRIMARY KEY (target, report)
  );
  CREATE INDEX late_report_by_arrival ON late_report (arrived_at);

  -- Which targets were forgotten: for the other servers on this database.
  CREATE TABLE removed (
    seq bigint PRIMARY KEY,
    repo text NOT NULL,
    server text NOT NULL,
    at bigint NOT NULL
  );

  -- One row, overwritten: when a server was last there, and the proof that a write reaches the disk.
  CREATE TABLE alive (
    id bigint PRIMARY KEY CHECK (id = 1),
    at bigint NOT NULL
  );

  -- One row: the newest number that was given out. Whoever holds its lock is the one who writes, and commits follow each
  -- other in the order of their numbers.
  CREATE TABLE feed (
    id bigint PRIMARY KEY CHECK (id = 1),
    seq bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO feed VALUES (1, 0);
  `,
  `
  -- Tells a database from a copy of it that goes on by itself, or from what it was before a backup was restored.
  CREATE TABLE epoch (
    after_seq bigint PRIMARY KEY,            -- the newest number when it began
    name text NOT NULL
  );
  INSERT INTO epoch VALUES (-1, left(replace(gen_random_uuid()::text, '-', ''), 16));
  `,
  `
  -- Never deleted: a server that had a token once is not open again because it has run out.
  CREATE TABLE token (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    digest text NOT NULL UNIQUE,             -- SHA-256 of the token, which is kept nowhere
    label text NOT NULL,
    scopes text NOT NULL,                    -- JSON, as repos and servers
    repos text NOT NULL,
    servers text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    used_at bigint
  );

  CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL
  );
  `,
]

/**
 * Brings the schema up to date. Of many servers that start at once one migrates and the others wait for it.
 *
 * @throws CannotStart for a database of a newer version, which is left as it is
 */
export async function migrate(session: Session, database: string): Promise<void> {
  await inLock(session, 'CREATE TABLE IF NOT EXISTS schema_version (version bigint PRIMARY KEY)')
  const version = await versionOf(session)
  if (version > MIGRATIONS.length) {
    throw new CannotStart(
      `The database ${database} was written by a newer gitops-status-server (schema ${version}, this one knows ${MIGRATIONS.length}): start that version or a newer one`,
    )
  }
  for (let next = version + 1; next <= MIGRATIONS.length; next++) {
    await inLock(session, async () => {
      if ((await versionOf(session)) >= next) return '' // another one was faster
      return `${MIGRATIONS[next - 1]}; INSERT INTO schema_version VALUES (${next})`
    })
  }
}

async function versionOf(session: Session): Promise<number> {
  const [row] = await session.rows<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM schema_version',
  )
  return row?.version ?? 0
}

// Even CREATE TABLE IF NOT EXISTS fails for the second of two at once.
async function inLock(session: Session, script: string | (() => Promise<string>)): Promise<void> {
  await session.script(
    `BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('gitops-status-server ' || current_schema(), 0))`,
  )
  const text = typeof script === 'string' ? script : await script()
  await session.script(`${text}; COMMIT`)
}
