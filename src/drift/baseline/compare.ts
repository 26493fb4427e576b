import type { HostSnapshot, Path64 } from '../snapshot/host-snapshot.ts'
import { type Certified, type KnownFacts, knownFacts } from './baseline.ts'

/** How a host stands against what was certified of it. Only what the full check held against Git counts. */
export type Comparison =
  | { readonly kind: 'equal' }
  | { readonly kind: 'different'; readonly differences: readonly Difference[] }
  /** Something that could be looked at when it was certified cannot be looked at now. That is not a difference. */
  | { readonly kind: 'not_known'; readonly paths: readonly Path64[] }

export interface Difference {
  readonly path: Path64
  readonly attribute: 'type' | 'content' | 'mode' | 'owner' | 'group' | 'entries'
}

export function compare(certified: Pick<Certified, 'paths' | 'listings'>, now: HostSnapshot, key: Buffer): Comparison {
  const differences: Difference[] = []
  const unknown: Path64[] = []

  for (const [path, then] of certified.paths) {
    const seen = now.paths.get(path)
    const known = seen ? knownFacts(seen, key, then.declared) : null
    if (known === null) unknown.push(path)
    else differences.push(...differing(then, known).map((attribute) => ({ path, attribute })))
  }
  for (const [path, then] of certified.listings) {
    const seen = now.listings.get(path)
    if (seen === undefined || seen.kind === 'unreadable') unknown.push(path)
    else if (seen.kind !== then.kind) differences.push({ path, attribute: 'type' })
    else if (seen.kind === 'entries' && then.kind === 'entries' && !isSameList(seen.entries, then.entries))
      differences.push({ path, attribute: 'entries' })
  }

  if (differences.length > 0) return { kind: 'different', differences }
  return unknown.length > 0 ? { kind: 'not_known', paths: unknown } : { kind: 'equal' }
}

function differing(then: KnownFacts, now: KnownFacts): Difference['attribute'][] {
  if (then.kind === 'missing' || now.kind === 'missing' || then.kind !== now.kind)
    return then.kind === now.kind ? [] : ['type']
  const differs = {
    content: then.content !== now.content,
    mode: then.mode !== now.mode,
    // A number may have got another name, and a name another number: either changes who may read it.
    owner: then.owner !== now.owner || then.uid !== now.uid,
    group: then.group !== now.group || then.gid !== now.gid,
  }
  const declared = new Set(then.declared.map((one) => (one === 'part_of_content' ? 'content' : one)))
  return (['content', 'mode', 'owner', 'group'] as const).filter((one) => declared.has(one) && differs[one])
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((entry, at) => entry === other[at])
}
