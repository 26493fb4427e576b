import type { DatabaseSync } from 'node:sqlite'
import { FIRST_EPOCH_AFTER, newEpochName } from './lineage.ts'
import { keepHistory } from './sqlite-migration-2.ts'

/** "gist" in ASCII: tells our files from those of other programs. */
export const APPLICATION_ID = 0x67697374

/**
 * The n-th entry takes a database from schema n − 1 to schema n, in one transaction. Forward only; an entry that was
 * released is never changed.
 */
export const MIGRATIONS: readonly ((db: DatabaseSync) => void)[] = [keepReports, keepHistory, nameEpochs, keepTokens]

function keepReports(db: DatabaseSync): void {
  db.exec(`
  -- Every report once. What the rules look at stands beside the body, so that no query has to open it.
  CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL REFERENCES target (id),
    digest BLOB NOT NULL,             -- SHA-256 of the body: finds repeated deliveries, and damage
    status TEXT NOT NULL,
    checked_at INTEGER NOT NULL,      -- milliseconds since 1970, as all times
    arrived_at INTEGER NOT NULL,
    drift_count INTEGER NOT NULL,
    period_ms INTEGER NOT NULL,
    applied INTEGER NOT NULL,         -- it became its target's newest when it arrived
    body TEXT NOT NULL,
    UNIQUE (target, digest)
  ) STRICT;

  -- The two reports that a target's state consists of. Which they are is decided in domain/, not here.
  CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    repo TEXT NOT NULL,
    server TEXT NOT NULL,
    newest INTEGER REFERENCES report (id),
    last_known INTEGER REFERENCES report (id),
    UNIQUE (repo, server)
  ) STRICT;

  -- One row, overwritten: proves that a write reaches the disk.
  CREATE TABLE write_check (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    checked INTEGER NOT NULL
  ) STRICT;
  `)
}

/** Schema 3: copies of one database that go on by themselves can be told apart. */
function nameEpochs(db: DatabaseSync): void {
  db.exec(`
  CREATE TABLE epoch (
    after_seq INTEGER PRIMARY KEY,    -- the newest number when it began
    name TEXT NOT NULL
  ) STRICT;
  `)
  db.prepare('INSERT INTO epoch VALUES (?, ?)').run(FIRST_EPOCH_AFTER, newEpochName())
}

/** Schema 4: who may do what, and what was done about it. */
function keepTokens(db: DatabaseSync): void {
  db.exec(`
  -- Never deleted: a server that had a token once is not open again because it has run out.
  CREATE TABLE token (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,      -- SHA-256 of the token, which is kept nowhere
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,             -- JSON, as repos and servers
    repos TEXT NOT NULL,
    servers TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    used_at INTEGER
  ) STRICT;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
  ) STRICT;
  `)
}
