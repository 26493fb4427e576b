import { Fault } from './fault.ts'
import type { Target } from './report.ts'
import { covers, coversAll, hasScope, type Scope, type Token } from './token.ts'

/** What a route needs. `open`: nothing, it tells nothing of any target. */
export type Right = 'open' | Scope

/** What came with a request: no token, one that is valid, or one that is not, with the reason. */
export type Bearer = null | Token | { readonly invalid: string }

/** How this server is set up. */
export interface Doors {
  /** False until the first token exists: then anybody may do anything. */
  readonly isClosed: boolean
  readonly anonymousMayRead: boolean
}

export interface Permit {
  /** For the log: `token 1a2b3c4d`. Null: anybody. */
  readonly who: string | null
  /** Which targets it is for. Null: all. */
  readonly covers: Cover
}

export interface CoveredTargets {
  /** Equal for those that cover the same: what is made for one may be shown to the other, and to nobody else. */
  readonly key: string
  has(target: Target): boolean
}

/** Null: every target. */
export type Cover = CoveredTargets | null

export const ANYBODY: Permit = { who: null, covers: null }

/**
 * Whether a request may do what its route does, and to which targets. Every request of every route passes here, and
 * nothing else decides it.
 *
 * @throws Fault `unauthorized` when another token could do it, `forbidden` when this one may not
 */
export function authorize(bearer: Bearer, right: Right, { isClosed, anonymousMayRead }: Doors): Permit {
  if (right === 'open' || !isClosed) return ANYBODY
  // Also where anybody may read: whoever sends a token must hear that it is none.
  if (bearer !== null && 'invalid' in bearer) throw new Fault('unauthorized', bearer.invalid)
  if (right === 'read' && anonymousMayRead) return ANYBODY
  if (bearer === null) throw new Fault('unauthorized', 'Send a token of this server: Authorization: Bearer gss_…')
  if (!hasScope(bearer, right)) {
    throw new Fault('forbidden', `The token ${bearer.id} is for ${bearer.scopes.join(' and ')}; this takes ${right}`)
  }
  return {
    who: `token ${bearer.id}`,
    covers: coversAll(bearer) ? null : coveredBy(bearer),
  }
}

function coveredBy(token: Token): CoveredTargets {
  const { repos, servers } = token
  return { key: JSON.stringify([repos, servers]), has: (target) => covers(token, target) }
}
