import type { StatusRow } from '../../../contract/status-json.ts'
import {
  CAUSE_NAMES,
  CAUSES,
  type Cause,
  FRESHNESSES,
  type Freshness,
  STATUSES,
  type SyncStatus,
} from '../parts/words.ts'

/** What somebody wants to see of the fleet. It stands in the address of the page, so that it can be sent to others. */
export interface Wish {
  readonly search: string
  readonly repo: string
  readonly server: string
  readonly status: readonly SyncStatus[]
  readonly freshness: readonly Freshness[]
  readonly cause: readonly Cause[]
  /** Who changed a file. */
  readonly who: string
  readonly group: Group
  readonly view: View
}

export type Group = 'none' | 'repo' | 'drift'
export type View = 'table' | 'tiles'

export const GROUPS: readonly Group[] = ['none', 'repo', 'drift']
export const VIEWS: readonly View[] = ['table', 'tiles']

/** What an address does not say is the default; what it says wrongly too. */
export function wishIn(query: URLSearchParams): Wish {
  return {
    search: query.get('q') ?? '',
    repo: query.get('repo') ?? '',
    server: query.get('server') ?? '',
    status: listIn(query, 'status', STATUSES),
    freshness: listIn(query, 'freshness', FRESHNESSES),
    cause: listIn(query, 'cause', CAUSE_NAMES),
    who: query.get('who') ?? '',
    group: GROUPS.find((group) => group === query.get('group')) ?? 'none',
    view: VIEWS.find((view) => view === query.get('view')) ?? 'table',
  }
}

export function queryOf({ search, repo, server, status, freshness, cause, who, group, view }: Wish): string {
  const query = new URLSearchParams()
  const say = (name: string, value: string) => {
    if (value !== '') query.set(name, value)
  }
  say('q', search)
  say('repo', repo)
  say('server', server)
  say('status', status.join(','))
  say('freshness', freshness.join(','))
  say('cause', cause.join(','))
  say('who', who)
  say('group', group === 'none' ? '' : group)
  say('view', view === 'table' ? '' : view)
  return query.toString()
}

function listIn<Word extends string>(query: URLSearchParams, name: string, words: readonly Word[]): Word[] {
  const asked = (query.get(name) ?? '').split(',')
  return words.filter((word) => asked.includes(word))
}

/** Takes a word out of a list, or adds it. */
export function toggled<Word>(list: readonly Word[], word: Word): Word[] {
  return list.includes(word) ? list.filter((one) => one !== word) : [...list, word]
}

export const NO_FILTER = { search: '', repo: '', server: '', status: [], freshness: [], cause: [], who: '' } as const

export function isFiltered({ search, repo, server, status, freshness, cause, who }: Wish): boolean {
  return `${search}${repo}${server}${who}` !== '' || status.length + freshness.length + cause.length > 0
}

export interface Chosen {
  /** Worst first and then by name. */
  readonly rows: readonly StatusRow[]
  /** How many of each status there are, whatever statuses are wished for: what choosing one would show. */
  readonly counts: Readonly<Record<SyncStatus, number>>
}

/** What is wished for of all `rows`, which are in order of name. */
export function chosenOf(rows: readonly StatusRow[], wish: Wish): Chosen {
  const matches = matcherOf(wish)
  const byStatus: Record<SyncStatus, StatusRow[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
  for (const row of rows) if (matches(row)) byStatus[row.sync_status].push(row)
  const wanted = STATUSES.filter((status) => wish.status.length === 0 || wish.status.includes(status))
  return {
    rows: wanted.flatMap((status) => byStatus[status]),
    counts: {
      OUT_OF_SYNC: byStatus.OUT_OF_SYNC.length,
      UNKNOWN: byStatus.UNKNOWN.length,
      SYNCED: byStatus.SYNCED.length,
    },
  }
}

function matcherOf({ search, repo, server, freshness, cause, who }: Wish): (row: StatusRow) => boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return (row) =>
    (repo === '' || row.repo === repo) &&
    (server === '' || row.server === server) &&
    (freshness.length === 0 || (row.freshness !== null && freshness.includes(row.freshness))) &&
    (cause.length === 0 || cause.some((one) => CAUSES[one].isOf(row))) &&
    (who === '' || personsOf(row).includes(who)) &&
    words.every((word) => textOf(row).includes(word))
}

/** Who changed files of a target: those that its row has room for. */
export function personsOf({ modified_by }: StatusRow): string[] {
  return modified_by === null ? [] : modified_by.replace(/ and \d+ more$/, '').split(/, (?![^()]*\))/)
}

const texts = new WeakMap<StatusRow, string>()

/** Everything of a row that a search looks at. */
function textOf(row: StatusRow): string {
  const known = texts.get(row)
  if (known !== undefined) return known
  const { repo, server, drifted_files, modified_by, revision, error_code, error_message } = row
  const text = [repo, server, drifted_files, modified_by, revision, error_code, error_message].join('\n').toLowerCase()
  texts.set(row, text)
  return text
}
