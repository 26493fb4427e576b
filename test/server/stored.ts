import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'

const EVER = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1e9, after: null }

/** The run ids of every report that began a period: of every report, where each differs from the one before it. */
export async function runsIn(database: string): Promise<Map<string, string[]>> {
  const store = await openSqliteStore(database)
  const periods = await store.periods(EVER)
  await store.close()
  const runs = new Map<string, string[]>()
  for (const { newest } of periods) {
    const run = newest.report.body.run_id ?? ''
    runs.set(run, [...(runs.get(run) ?? []), newest.report.target.server])
  }
  return runs
}

/** Fails when the tables of a database that no server has open contradict each other: when a group was applied by half. */
export function assertWhole(database: string): void {
  const db = new DatabaseSync(database)
  const one = (query: string) => Object.values(db.prepare(query).get() ?? {})[0]
  try {
    assert.equal(one('PRAGMA integrity_check'), 'ok')
    for (const [what, query] of Object.entries(CONTRADICTIONS)) assert.equal(one(query), 0, what)
  } finally {
    db.close()
  }
}

const CONTRADICTIONS = {
  'a target without its newest report': 'SELECT count(*) FROM target WHERE id NOT IN (SELECT target FROM contact)',
  'a newest report of no target': 'SELECT count(*) FROM contact WHERE target NOT IN (SELECT id FROM target)',
  'a period of no target': 'SELECT count(*) FROM period WHERE target NOT IN (SELECT id FROM target)',
  'what was found is missing': `SELECT count(*) FROM (SELECT content FROM contact UNION SELECT content FROM period
    UNION SELECT known_content FROM target WHERE known_content IS NOT NULL)
    WHERE content NOT IN (SELECT digest FROM content)`,
  'a hole between two periods, or one in another': `SELECT count(*) FROM (
      SELECT ended_at, lead(began_at, 1, period_began_at) OVER (PARTITION BY target ORDER BY began_at) AS next
      FROM period JOIN target ON target.id = period.target) WHERE ended_at <> next`,
  'an episode that lasts and has no end of its window': `SELECT count(*) FROM target JOIN contact ON target = id
    WHERE (episode_first_dirty_at IS NULL) <> (episode_checks IS NULL)`,
  'a number that was given out twice': 'SELECT count(*) - count(DISTINCT seq) FROM contact',
  // A late report that is the newest finding has a number, too; it is counted among the late ones.
  'a change that is numbered and not counted, or the other way round': `WITH uncounted AS (
      SELECT coalesce(max(seq), 0) - coalesce(sum(checks), 0) - (SELECT coalesce(sum(checks), 0) FROM period) AS n FROM contact)
    SELECT CASE WHEN n BETWEEN 0 AND (SELECT count(*) FROM late_report) THEN 0 ELSE n END FROM uncounted`,
}
