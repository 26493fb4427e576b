import { CAUSES } from '../contract/report.ts'
import type { Cover } from '../domain/authorize.ts'
import { Fault, type FieldProblem } from '../domain/fault.ts'
import { SYNC_STATUSES, type Target } from '../domain/report.ts'

/** Which targets an answer is about. Null: all. */
export interface Selection {
  readonly repo: ReadonlySet<string> | null
  readonly server: ReadonlySet<string> | null
  readonly status: ReadonlySet<string> | null
  readonly cause: ReadonlySet<string> | null
  /** Who changed a drifted file. */
  readonly modifiedBy: string | null
  /** Those that whoever asks may know of. */
  readonly within: Cover
}

export const EVERYTHING: Selection = {
  repo: null,
  server: null,
  status: null,
  cause: null,
  modifiedBy: null,
  within: null,
}

export function isEverything(selection: Selection): boolean {
  return Object.values(selection).every((chosen) => chosen === null)
}

/** Equal for equal selections: what is written for one is shown to all who ask for the same, and may know the same. */
export function selectionKey({ repo, server, status, cause, modifiedBy, within }: Selection): string {
  const named = [repo, server, status, cause].map((values) => values && [...values].sort())
  return JSON.stringify([...named, modifiedBy, within?.key])
}

/** Null when it names none in particular. */
export function targetsNamedBy({
  repo: repos,
  server: servers,
  within,
}: Pick<Selection, 'repo' | 'server' | 'within'>): ((target: Target) => boolean) | null {
  if (repos === null && servers === null) return within && ((target) => within.has(target))
  return (target) =>
    (repos?.has(target.repo) ?? true) && (servers?.has(target.server) ?? true) && (within?.has(target) ?? true)
}

/** What a decoded query string says of it. */
export interface Query {
  readonly repo?: Value
  readonly server?: Value
  readonly status?: Value
  readonly cause?: Value
  readonly modified_by?: Value
}
type Value = string | readonly string[] | undefined

/**
 * Reads `?repo=&server=&status=&cause=&modified_by=` as dashboards send them: several values with commas, in braces or as a parameter
 * given twice; nothing and `*` mean all.
 *
 * @param within Those that whoever asks may know of. Null: all.
 * @throws Fault `invalid_filter`
 */
export function parseSelection(query: Query, within: Cover): Selection {
  const problems: FieldProblem[] = []

  function valuesOf(name: 'repo' | 'server' | 'status' | 'cause'): ReadonlySet<string> | null {
    const given = [query[name] ?? []].flat()
    if (given.some((text) => text.includes('${'))) {
      problems.push({
        field: name,
        pointer: '',
        detail:
          'still holds a dashboard variable that was not replaced (alert rules and public dashboards do not replace them)',
      })
    }
    const values = given.flatMap((text) => text.replace(/^\{(.*)\}$/, '$1').split(',')).map((value) => value.trim())
    const named = new Set(values.filter((value) => value !== ''))
    return named.size === 0 || named.has('*') ? null : named
  }

  function refuseUnknown(field: 'status' | 'cause', allowed: readonly string[]): void {
    const unknown = [...(selection[field] ?? [])].filter((value) => !allowed.includes(value))
    if (unknown.length === 0) return
    const shown = unknown.slice(0, 3).map((value) => JSON.stringify(value.slice(0, 40).toWellFormed()))
    problems.push({ field, pointer: '', detail: `must be among ${allowed.join(', ')}; got ${shown.join(', ')}` })
  }

  const selection = {
    repo: valuesOf('repo'),
    server: valuesOf('server'),
    status: valuesOf('status'),
    cause: valuesOf('cause'),
    modifiedBy: [query.modified_by].flat()[0] || null,
    within,
  }
  if (problems.length === 0) {
    refuseUnknown('status', SYNC_STATUSES)
    refuseUnknown('cause', CAUSES)
  }
  if (problems.length > 0) {
    const [first] = problems
    throw new Fault('invalid_filter', `The filter "${first?.field}" ${first?.detail}`, { problems })
  }
  return selection
}
