import type { StatusRow } from '../../../contract/status-json.ts'
import { keyOf } from '../live/key.ts'
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
  /** Of groups by the same drift: those whose targets are shown. */
  readonly open: readonly string[]
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
    open: (query.get('open') ?? '').split(',').filter(Boolean),
  }
}

/** Of who says nothing. */
export const EVERYTHING: Wish = wishIn(new URLSearchParams())

export function queryOf({ search, repo, server, status, freshness, cause, who, group, view, open }: Wish): string {
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
  say('open', open.join(','))
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

/** How many targets choosing a word of a filter would show, under all the other filters. */
export interface Counts {
  readonly status: Readonly<Record<SyncStatus, number>>
  readonly freshness: Readonly<Record<Freshness, number>>
  readonly cause: Readonly<Record<Cause, number>>
  readonly repo: ReadonlyMap<string, number>
  readonly server: ReadonlyMap<string, number>
  readonly who: ReadonlyMap<string, number>
}

export interface Chosen {
  /** Worst first and then by name. */
  readonly rows: readonly StatusRow[]
  readonly counts: Counts
}

type Facet = keyof Counts

/**
 * What is wished for of all `rows`, which are in order of name.
 *
 * @param alsoBy Keys of targets of which `who` changed a file, though their rows have no room for that name.
 */
export function chosenOf(rows: readonly StatusRow[], wish: Wish, alsoBy: ReadonlySet<string> = NO_KEYS): Chosen {
  // Names of files are told without /etc/, and whole paths are what people copy.
  const words = wish.search
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replace(/^\/etc\/(?=.)/, ''))
    .filter(Boolean)
  const filters = filtersOf(wish, alsoBy)
  const byStatus: Record<SyncStatus, StatusRow[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
  const counts = createCounts()
  for (const row of rows) {
    if (!hasAll(row, words)) continue
    const refusing = refusingOf(row, filters)
    if (refusing === 'several') continue
    if (refusing === null) byStatus[row.sync_status].push(row)
    // What one filter alone refuses is what another choice in that filter would show.
    counts.add(row, refusing)
  }
  return { rows: STATUSES.flatMap((status) => byStatus[status]), counts }
}

const NO_KEYS: ReadonlySet<string> = new Set()

interface Filter {
  readonly facet: Facet
  readonly lets: (row: StatusRow) => boolean
}

/** Those that are set. */
function filtersOf({ repo, server, status, freshness, cause, who }: Wish, alsoBy: ReadonlySet<string>): Filter[] {
  const filters: Filter[] = []
  const set = (facet: Facet, isSet: boolean, lets: Filter['lets']) => isSet && filters.push({ facet, lets })
  set('status', status.length > 0, (row) => status.includes(row.sync_status))
  set('freshness', freshness.length > 0, (row) => row.freshness !== null && freshness.includes(row.freshness))
  set('cause', cause.length > 0, (row) => cause.some((one) => CAUSES[one].isOf(row)))
  set('repo', repo !== '', (row) => row.repo === repo)
  set('server', server !== '', (row) => row.server === server)
  set('who', who !== '', (row) => personsOf(row).includes(who) || alsoBy.has(keyOf(row)))
  return filters
}

function refusingOf(row: StatusRow, filters: readonly Filter[]): Facet | null | 'several' {
  let refusing: Facet | null = null
  for (const { facet, lets } of filters) {
    if (lets(row)) continue
    if (refusing !== null) return 'several'
    refusing = facet
  }
  return refusing
}

function createCounts() {
  const status: Record<SyncStatus, number> = { OUT_OF_SYNC: 0, UNKNOWN: 0, SYNCED: 0 }
  const freshness: Record<Freshness, number> = { FRESH: 0, LATE: 0, STALE: 0 }
  const cause = Object.fromEntries(CAUSE_NAMES.map((name) => [name, 0])) as Record<Cause, number>
  const [repo, server, who] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
  const one = (counted: Map<string, number>, name: string) => counted.set(name, (counted.get(name) ?? 0) + 1)
  return {
    ...{ status, freshness, cause, repo, server, who },
    /** @param only The one in which it counts; null: in all. */
    add(row: StatusRow, only: Facet | null): void {
      if (only === null || only === 'status') status[row.sync_status]++
      if ((only === null || only === 'freshness') && row.freshness !== null) freshness[row.freshness]++
      if (only === null || only === 'cause') for (const name of factsOf(row).causes) cause[name]++
      if (only === null || only === 'repo') one(repo, row.repo)
      if (only === null || only === 'server') one(server, row.server)
      if (only === null || only === 'who') for (const person of factsOf(row).persons) one(who, person)
    },
  }
}

/** Who changed files of a target: those that its row has room for. */
export function personsOf(row: StatusRow): readonly string[] {
  return factsOf(row).persons
}

const MORE_PERSONS = / and \d+ more$/

/** More people changed files of a target than its row has room for. */
export function hasMorePersons({ modified_by }: StatusRow): boolean {
  return modified_by !== null && MORE_PERSONS.test(modified_by)
}

/** What is read out of a row for its filters. */
interface Facts {
  readonly persons: readonly string[]
  readonly causes: readonly Cause[]
  /** Everything that a search looks at, once somebody has searched. */
  text: string | null
}

// A row never changes, and each key that is typed asks ten thousand of them.
const facts = new WeakMap<StatusRow, Facts>()

function factsOf(row: StatusRow): Facts {
  const known = facts.get(row)
  if (known !== undefined) return known
  const { modified_by } = row
  const made: Facts = {
    persons: modified_by === null ? NOBODY : modified_by.replace(MORE_PERSONS, '').split(/, (?![^()]*\))/),
    causes: CAUSE_NAMES.filter((one) => CAUSES[one].isOf(row)),
    text: null,
  }
  facts.set(row, made)
  return made
}

const NOBODY: readonly string[] = []

/** Reads what a search looks at, so that the first letter does not wait for it: with ten thousand a third of its script. */
export function prepareSearch(rows: readonly StatusRow[]): void {
  for (const row of rows) textOf(row)
}

function hasAll(row: StatusRow, words: readonly string[]): boolean {
  if (words.length === 0) return true
  const text = textOf(row)
  return words.every((word) => text.includes(word))
}

function textOf(row: StatusRow): string {
  const known = factsOf(row)
  if (known.text !== null) return known.text
  const { repo, server, drifted_files, modified_by, revision, error_code, error_message } = row
  known.text = [repo, server, drifted_files, modified_by, revision, error_code, error_message].join('\n').toLowerCase()
  return known.text
}
