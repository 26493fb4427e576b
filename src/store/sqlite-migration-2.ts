import type { DatabaseSync } from 'node:sqlite'
import type { ReportBody } from '../contract/report.ts'
import { reportOf } from '../contract/sent-report.ts'
import { Ledger } from './ledger.ts'
import { packed, writesOf } from './rows.ts'
import { createWriter } from './sqlite-writer.ts'

/**
 * Schema 2: history grows with changes and no longer with checks. What was found is kept once for all checks and targets
 * that share it, and a stretch in which nothing changes is one row.
 *
 * The reports of schema 1 are played back in the order in which they came, so that the history has them all.
 */
export function keepHistory(db: DatabaseSync): void {
  db.exec(`
  ALTER TABLE target RENAME TO target_1;

  CREATE TABLE content (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    repo TEXT NOT NULL,
    server TEXT NOT NULL,
    since INTEGER NOT NULL,                  -- milliseconds since 1970, as all times
    period_began_at INTEGER NOT NULL,
    period_first_check_at INTEGER NOT NULL,
    known_content TEXT,                      -- the last finding, when it is not the newest report
    known_check TEXT,
    known_arrived_at INTEGER,
    episode_last_clean_at INTEGER,
    episode_first_dirty_at INTEGER,
    episode_max_drift INTEGER,
    files_since TEXT NOT NULL,
    UNIQUE (repo, server)
  ) STRICT;

  -- What changes with each check. Apart, so that a check that finds what the last one found writes little.
  CREATE TABLE contact (
    target INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    report TEXT NOT NULL,
    content TEXT NOT NULL,
    check_json TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    episode_last_dirty_at INTEGER,
    episode_checks INTEGER,
    recent TEXT NOT NULL
  ) STRICT;

  -- Those that are over. The one that lasts is in target and contact.
  CREATE TABLE period (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    first_check_at INTEGER NOT NULL,
    last_check_at INTEGER NOT NULL,
    last_arrived_at INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    content TEXT NOT NULL,
    check_json TEXT NOT NULL,
    known_content TEXT,
    known_check TEXT,
    known_arrived_at INTEGER
  ) STRICT;
  CREATE INDEX period_of_target ON period (target, began_at);
  CREATE INDEX period_by_beginning ON period (began_at, target);
  CREATE INDEX period_by_end ON period (ended_at);

  CREATE TABLE episode (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL,
    last_clean_at INTEGER,
    first_dirty_at INTEGER NOT NULL,
    last_dirty_at INTEGER NOT NULL,
    first_clean_at INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    max_drift INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX episode_of_target ON episode (target, first_dirty_at);
  CREATE INDEX episode_by_beginning ON episode (first_dirty_at, target);
  CREATE INDEX episode_by_end ON episode (first_clean_at);

  CREATE TABLE late_report (
    target INTEGER NOT NULL,
    report TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    content TEXT NOT NULL,
    check_json TEXT NOT NULL,
    PRIMARY KEY (target, report)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX late_report_by_arrival ON late_report (arrived_at);

  -- Which targets were forgotten: a number that was given out is not given out again.
  CREATE TABLE removed (
    seq INTEGER PRIMARY KEY,
    repo TEXT NOT NULL,
    server TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  -- One row, overwritten: when the server was last there, and the proof that a write reaches the disk.
  DROP TABLE write_check;
  CREATE TABLE alive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
  ) STRICT;
  `)
  playBack(db)
  // Each of the two refers to the other, and a table that is referred to cannot be dropped.
  db.exec('UPDATE target_1 SET newest = NULL, last_known = NULL; DROP TABLE report; DROP TABLE target_1')
}

// One transaction, but not all reports in memory at once.
const REPORTS_AT_ONCE = 1_000

function playBack(db: DatabaseSync): void {
  const ledger = new Ledger()
  const write = createWriter(db)
  const read = db.prepare('SELECT id, body, arrived_at FROM report WHERE id > ? ORDER BY id LIMIT ?')
  for (let newestId = 0; ; ) {
    const rows = read.all(newestId, REPORTS_AT_ONCE)
    if (rows.length === 0) return
    // One by one: what a late one finds written before it decides whether it is a repetition.
    for (const row of rows) {
      const body: ReportBody = JSON.parse(String(row.body))
      const received = { report: reportOf(body), arrivedAt: new Date(Number(row.arrived_at)) }
      const first = ledger.plan([received])
      const plan = 'lookUp' in first ? ledger.plan([received], write.lateArrivals(first)) : first
      if ('lookUp' in plan) throw new Error('Everything was looked up')
      write.write(packed(writesOf(plan)))
      ledger.apply(plan)
      newestId = Number(row.id)
    }
  }
}
