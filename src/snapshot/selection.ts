import { CAUSES } from '../contract/report.ts'
import { Fault, type FieldProblem } from '../domain/fault.ts'
import { SYNC_STATUSES, type Target } from '../domain/report.ts'

/** Which targets an answer is about. Null: all. */
export interface Selection {
  readonly repo: ReadonlySet<string> | null
  readonly server: ReadonlySet<string> | null
  readonly status: ReadonlySet<string> | null
  readonly cause: ReadonlySet<string> | null
}

export const EVERYTHING: Selection = { repo: null, server: null, status: null, cause: null }

export function isEverything({ repo, server, status, cause }: Selection): boolean {
  return repo === null && server === null && status === null && cause === null
}

/** Equal for equal selections. */
export function selectionKey({ repo, server, status, cause }: Selection): string {
  return JSON.stringify([repo, server, status, cause].map((values) => values && [...values].sort()))
}

/** Null when it names none in particular. */
export function targetsNamedBy({
  repo: repos,
  server: servers,
}: Pick<Selection, 'repo' | 'server'>): ((target: Target) => boolean) | null {
  if (repos === null && servers === null) return null
  return ({ repo, server }) => (repos?.has(repo) ?? true) && (servers?.has(server) ?? true)
}

/** A decoded query string. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Reads `?repo=&server=&status=&cause=` as dashboards send them: several values with commas, in braces or as a parameter
 * given twice; nothing and `*` mean all.
 *
 * @throws Fault `invalid_filter`
 */
export function parseSelection(query: Query): Selection {
  const problems: FieldProblem[] = []

  function valuesOf(name: keyof Selection): ReadonlySet<string> | null {
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
