import { contentOf, digestOf, joinReport } from '../contract/content.ts'
import type { ReportBody } from '../contract/report.ts'
import { reportOf } from '../contract/sent-report.ts'
import type { Episode } from '../domain/episode.ts'
import type { ClosedPeriod } from '../domain/period.ts'
import { type RecentReports, seenIn } from '../domain/recent-reports.ts'
import type { Received, Report, Target } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import type { Over } from './history.ts'
import { type Account, type ChangedAccount, type Of, type Plan, reportIdOf } from './ledger.ts'
import type { PastEpisode, PastPeriod, PastState } from './store.ts'

// What both databases hold, row by row. The columns have the names of these fields, and times are milliseconds since
// 1970. Each table's list of columns is what its SQL is made of, so that a forgotten one does not go unnoticed.

/** What was found, once for all checks and targets that share it. */
export interface ContentRow {
  readonly digest: string
  readonly text: string
}

/** A target, less what changes with each check. */
export interface TargetRow extends Target {
  readonly id: number
  readonly since: number
  readonly period_began_at: number
  readonly period_first_check_at: number
  /** The last finding, when it is not the newest report. */
  readonly known_content: string | null
  readonly known_check: string | null
  readonly known_arrived_at: number | null
  readonly episode_last_clean_at: number | null
  readonly episode_first_dirty_at: number | null
  readonly episode_max_drift: number | null
  readonly files_since: string
}

/** What changes with each check: narrow, because it is written for each. */
export interface ContactRow {
  readonly target: number
  readonly seq: number
  /** The mark of the other two, which shows damage. */
  readonly report: string
  readonly content: string
  readonly check_json: string
  readonly arrived_at: number
  readonly checks: number
  readonly gaps: number
  readonly missed: number
  readonly episode_last_dirty_at: number | null
  readonly episode_checks: number | null
  readonly recent: string
}

export interface PeriodRow {
  readonly target: number
  readonly began_at: number
  readonly ended_at: number
  readonly first_check_at: number
  readonly last_check_at: number
  readonly last_arrived_at: number
  readonly checks: number
  readonly gaps: number
  readonly missed: number
  readonly content: string
  readonly check_json: string
  readonly known_content: string | null
  readonly known_check: string | null
  readonly known_arrived_at: number | null
}

export interface EpisodeRow {
  readonly target: number
  readonly last_clean_at: number | null
  readonly first_dirty_at: number
  readonly last_dirty_at: number
  readonly first_clean_at: number
  readonly checks: number
  readonly max_drift: number
}

/** What stands beside a row of history that is read as part of a list. */
export interface Placed extends Target {
  readonly id: number
  /** Of the newest change of its target, as of the same moment. */
  readonly seq: number
}

export interface LateRow {
  readonly target: number
  readonly report: string
  readonly arrived_at: number
  readonly content: string
  readonly check_json: string
}

/** What was found and nobody refers to any more, in the SQL of both databases. */
export const UNUSED_CONTENTS = `
  SELECT digest FROM content WHERE digest NOT IN (
    SELECT content FROM contact UNION SELECT content FROM period UNION SELECT content FROM late_report
    UNION SELECT known_content FROM target WHERE known_content IS NOT NULL
    UNION SELECT known_content FROM period WHERE known_content IS NOT NULL)`

export const COLUMNS = {
  content: columns<ContentRow>()(['digest', 'text']),
  target: columns<TargetRow>()([
    'id',
    'repo',
    'server',
    'since',
    'period_began_at',
    'period_first_check_at',
    'known_content',
    'known_check',
    'known_arrived_at',
    'episode_last_clean_at',
    'episode_first_dirty_at',
    'episode_max_drift',
    'files_since',
  ]),
  contact: columns<ContactRow>()([
    'target',
    'seq',
    'report',
    'content',
    'check_json',
    'arrived_at',
    'checks',
    'gaps',
    'missed',
    'episode_last_dirty_at',
    'episode_checks',
    'recent',
  ]),
  period: columns<PeriodRow>()([
    'target',
    'began_at',
    'ended_at',
    'first_check_at',
    'last_check_at',
    'last_arrived_at',
    'checks',
    'gaps',
    'missed',
    'content',
    'check_json',
    'known_content',
    'known_check',
    'known_arrived_at',
  ]),
  episode: columns<EpisodeRow>()([
    'target',
    'last_clean_at',
    'first_dirty_at',
    'last_dirty_at',
    'first_clean_at',
    'checks',
    'max_drift',
  ]),
  late_report: columns<LateRow>()(['target', 'report', 'arrived_at', 'content', 'check_json']),
}

/** The columns of a row that is there already take the values of the new one, in the SQL of both databases. */
export function fromNew(table: keyof typeof COLUMNS, key: string): string {
  const names: readonly string[] = COLUMNS[table]
  return names
    .filter((name) => name !== key)
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')
}

/** Takes the names of all fields of a row, and does not compile when one is missing. */
function columns<Row>() {
  return <const Names extends readonly (keyof Row)[]>(
    names: Names & ([keyof Row] extends [Names[number]] ? unknown : never),
  ): Names => names
}

/** What one transaction writes, table by table. */
export interface Writes {
  readonly contents: readonly ContentRow[]
  readonly targets: readonly TargetRow[]
  readonly contacts: readonly ContactRow[]
  readonly periods: readonly PeriodRow[]
  readonly episodes: readonly EpisodeRow[]
  readonly late: readonly LateRow[]
}

/** The same, value after value in the order of the columns. */
export type PackedWrites = Readonly<Record<keyof typeof COLUMNS, readonly ColumnValue[]>>

export type ColumnValue = string | number | null

/** For SQLite and the way to its thread: of a row with names, each name would be handed over and looked up anew. */
export function packed({ contents, targets, contacts, periods, episodes, late }: Writes): PackedWrites {
  return {
    content: valuesOf(contents, COLUMNS.content),
    target: valuesOf(targets, COLUMNS.target),
    contact: valuesOf(contacts, COLUMNS.contact),
    period: valuesOf(periods, COLUMNS.period),
    episode: valuesOf(episodes, COLUMNS.episode),
    late_report: valuesOf(late, COLUMNS.late_report),
  }
}

function valuesOf<Row extends Readonly<Record<keyof Row, ColumnValue>>>(
  rows: readonly Row[],
  names: readonly (keyof Row)[],
): ColumnValue[] {
  const values: ColumnValue[] = []
  for (const row of rows) for (const name of names) values.push(row[name])
  return values
}

export function writesOf({ accounts, periods, episodes, late }: Plan): Writes {
  const contents = new Map<string, string>()
  const others = accounts.filter(({ isOther }) => isOther)
  for (const { record } of others) keepContents(contents, [record.newest, record.lastKnown])
  for (const { value } of periods) keepContents(contents, [value.newest, value.lastKnown])
  for (const { value } of late) keepContents(contents, [value])
  return {
    contents: [...contents].map(([digest, text]) => ({ digest, text })),
    targets: others.map(targetRow),
    contacts: accounts.map(contactRow),
    periods: periods.map(periodRow),
    episodes: episodes.map(episodeRow),
    late: late.map(lateRow),
  }
}

function keepContents(contents: Map<string, string>, all: readonly (Received<ReportBody> | null)[]): void {
  for (const received of all) {
    if (received === null || contents.has(received.report.content)) continue
    contents.set(received.report.content, contentOf(received.report.body))
  }
}

function targetRow({ id, record }: ChangedAccount): TargetRow {
  const { newest, since, period, episode, filesSince } = record
  const { repo, server } = newest.report.target
  return {
    id,
    repo,
    server,
    since,
    period_began_at: period.beganAt,
    period_first_check_at: period.firstCheckAt,
    ...knownColumns(record),
    episode_last_clean_at: episode?.lastCleanAt ?? null,
    episode_first_dirty_at: episode?.firstDirtyAt ?? null,
    episode_max_drift: episode?.maxDriftCount ?? null,
    files_since: JSON.stringify(filesSince),
  }
}

function contactRow({ id, record, seq }: ChangedAccount): ContactRow {
  const { newest, period, episode, recent } = record
  return {
    target: id,
    seq,
    report: markText(newest.report),
    content: newest.report.content,
    check_json: newest.report.check,
    arrived_at: newest.arrivedAt.getTime(),
    checks: period.checks,
    gaps: period.gaps,
    missed: period.missed,
    episode_last_dirty_at: episode?.lastDirtyAt ?? null,
    episode_checks: episode?.checks ?? null,
    recent: recentText(recent),
  }
}

function markText({ mark }: Report): string {
  return mark.toString(16)
}

// By hand, because it is written for each check.
function recentText(recent: RecentReports): string {
  const all = seenIn(recent).map(({ mark, checkedAt, arrivedAt }) => `[${mark},${checkedAt},${arrivedAt}]`)
  return `[${all.join(',')}]`
}

function recentOf(text: string): RecentReports {
  const all: readonly (readonly number[])[] = JSON.parse(text)
  return all.flat()
}

function periodRow({ targetId, value }: Of<ClosedPeriod<ReportBody>>): PeriodRow {
  const { period, newest, endedAt } = value
  return {
    target: targetId,
    began_at: period.beganAt,
    ended_at: endedAt,
    first_check_at: period.firstCheckAt,
    last_check_at: period.lastCheckAt,
    last_arrived_at: period.lastArrivedAt,
    checks: period.checks,
    gaps: period.gaps,
    missed: period.missed,
    content: newest.report.content,
    check_json: newest.report.check,
    ...knownColumns(value),
  }
}

function knownColumns({ newest, lastKnown }: Pick<TargetRecord<ReportBody>, 'newest' | 'lastKnown'>) {
  const isOwn = lastKnown === null || lastKnown === newest
  return {
    known_content: isOwn ? null : lastKnown.report.content,
    known_check: isOwn ? null : lastKnown.report.check,
    known_arrived_at: isOwn ? null : lastKnown.arrivedAt.getTime(),
  }
}

function episodeRow({ targetId, value }: Of<Episode>): EpisodeRow {
  return {
    target: targetId,
    last_clean_at: value.lastCleanAt,
    first_dirty_at: value.firstDirtyAt,
    last_dirty_at: value.lastDirtyAt,
    first_clean_at: value.firstCleanAt ?? value.lastDirtyAt,
    checks: value.checks,
    max_drift: value.maxDriftCount,
  }
}

function lateRow({ targetId, value }: Of<Received<ReportBody>>): LateRow {
  return {
    target: targetId,
    report: reportIdOf(value.report),
    arrived_at: value.arrivedAt.getTime(),
    content: value.report.content,
    check_json: value.report.check,
  }
}

/** A row whose text is not what was stored. The database has to be restored. */
export class DamagedRow extends Error {}

/**
 * Puts rows together again. A value that was damaged on the disk passes a database's own checks; what is about to be
 * shown must be what was sent, so digests are compared.
 */
export class RowReader {
  readonly #contents = new Map<string, unknown>()

  /** @throws DamagedRow */
  addContent({ digest, text }: ContentRow): void {
    if (digestOf(text) !== digest) throw new DamagedRow('what was found by some report is not what was stored')
    this.#contents.set(digest, JSON.parse(text))
  }

  hasContent(digest: string): boolean {
    return this.#contents.has(digest)
  }

  /** @throws DamagedRow */
  account(target: TargetRow, contact: ContactRow): Account {
    const newest = this.#received(target, contact.content, contact.check_json, contact.arrived_at)
    if (markText(newest.report) !== contact.report) {
      throw new DamagedRow(`a report of ${target.repo} on ${target.server} is not what was stored`)
    }
    const lastKnown = this.#lastKnown(target, newest, target)
    return {
      id: target.id,
      seq: contact.seq,
      record: {
        newest,
        lastKnown,
        since: target.since,
        period: {
          status: newest.report.status,
          beganAt: target.period_began_at,
          firstCheckAt: target.period_first_check_at,
          lastCheckAt: Math.min(newest.report.checkedAt.getTime(), contact.arrived_at),
          lastArrivedAt: contact.arrived_at,
          checks: contact.checks,
          gaps: contact.gaps,
          missed: contact.missed,
        },
        episode: openEpisode(target, contact),
        filesSince: JSON.parse(target.files_since),
        recent: recentOf(contact.recent),
      },
    }
  }

  /** @throws DamagedRow */
  period(row: PeriodRow & Target): PastState {
    const newest = this.#received(row, row.content, row.check_json, row.last_arrived_at)
    return {
      newest,
      lastKnown: this.#lastKnown(row, newest, row),
      endedAt: row.ended_at,
      period: {
        status: newest.report.status,
        beganAt: row.began_at,
        firstCheckAt: row.first_check_at,
        lastCheckAt: row.last_check_at,
        lastArrivedAt: row.last_arrived_at,
        checks: row.checks,
        gaps: row.gaps,
        missed: row.missed,
      },
    }
  }

  /** @throws DamagedRow */
  pastPeriod(row: PeriodRow & Placed): Over<PastPeriod> {
    return { one: { ...this.period(row), targetId: row.target, number: row.id }, asOf: row.seq }
  }

  #lastKnown(
    target: Target,
    newest: Received<ReportBody>,
    {
      known_content,
      known_check,
      known_arrived_at,
    }: Pick<PeriodRow, 'known_content' | 'known_check' | 'known_arrived_at'>,
  ): Received<ReportBody> | null {
    if (known_content !== null && known_check !== null && known_arrived_at !== null) {
      return this.#received(target, known_content, known_check, known_arrived_at)
    }
    return newest.report.status === 'UNKNOWN' ? null : newest
  }

  #received(target: Target, digest: string, check: string, arrivedAt: number): Received<ReportBody> {
    const content = this.#contents.get(digest)
    if (content === undefined) throw new DamagedRow(`what was found of ${target.repo} on ${target.server} is missing`)
    const body = joinReport(target, content, check) as ReportBody // it was one when it was stored
    return { report: reportOf(body), arrivedAt: new Date(arrivedAt) }
  }
}

function openEpisode(target: TargetRow, contact: ContactRow): Episode | null {
  if (target.episode_first_dirty_at === null) return null
  return {
    lastCleanAt: target.episode_last_clean_at,
    firstDirtyAt: target.episode_first_dirty_at,
    lastDirtyAt: contact.episode_last_dirty_at ?? target.episode_first_dirty_at,
    firstCleanAt: null,
    checks: contact.episode_checks ?? 1,
    maxDriftCount: target.episode_max_drift ?? 0,
  }
}

export function episodeOf(row: EpisodeRow & Placed): Over<PastEpisode> {
  const one = {
    target: { repo: row.repo, server: row.server },
    targetId: row.target,
    number: row.id,
    lastCleanAt: row.last_clean_at,
    firstDirtyAt: row.first_dirty_at,
    lastDirtyAt: row.last_dirty_at,
    firstCleanAt: row.first_clean_at,
    checks: row.checks,
    maxDriftCount: row.max_drift,
  }
  return { one, asOf: row.seq }
}
