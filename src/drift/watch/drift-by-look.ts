import type { Certified, KnownFacts } from '../baseline/baseline.ts'
import type { Difference } from '../baseline/compare.ts'
import type { FileFacts } from '../evidence.ts'
import type { Drift } from '../judge.ts'
import type { HostSnapshot, Path64, PathFacts } from '../snapshot/host-snapshot.ts'

/**
 * Differences of a look in the form in which Ansible's are told: what is expected is what was certified, which is what
 * Git says under the same commit. Of contents only the keyed hash is kept, so that side has none.
 */
export function driftByLook(
  certified: Pick<Certified, 'paths'>,
  now: HostSnapshot,
  differences: readonly Difference[],
): Drift[] {
  const attributes = new Map<Path64, Difference['attribute'][]>()
  for (const { path, attribute } of differences) attributes.set(path, [...(attributes.get(path) ?? []), attribute])
  return [...attributes].flatMap(([path, found]): Drift[] => {
    const [then, seen] = [certified.paths.get(path), now.paths.get(path)]
    if (then === undefined || seen === undefined || seen.kind === 'unreadable') return []
    return [
      {
        task: '',
        path_base64: path,
        change: changeOf(then, seen, found),
        expected: expectedOf(then),
        actual: actualOf(seen),
        modified_at: 'mtime' in seen ? wholeSecond(seen.mtime) : null,
        cause: 'SERVER_CHANGED',
      },
    ]
  })
}

function changeOf(then: KnownFacts, now: PathFacts, found: readonly Difference['attribute'][]): Drift['change'] {
  if (now.kind === 'missing') return 'missing'
  if (then.kind === 'missing') return 'extra'
  return found.some((one) => one === 'content' || one === 'type') ? 'modified' : 'metadata'
}

function expectedOf(then: KnownFacts): FileFacts {
  if (then.kind === 'missing') return {}
  const { kind, declared } = then
  const stated = (['mode', 'owner', 'group'] as const).filter((one) => declared.includes(one))
  return { ...Object.fromEntries(stated.map((one) => [one, then[one]])), ...(kind !== 'file' && { type: kind }) }
}

function actualOf(now: PathFacts): FileFacts {
  if (now.kind === 'missing' || now.kind === 'unreadable') return {}
  const { kind, mode, owner, group } = now
  return { mode, owner, group, ...(kind === 'file' ? { sha256: now.sha256 } : { type: kind }) }
}

/** RFC 3339; null for what no calendar has. */
function wholeSecond(nanoseconds: bigint): string | null {
  const time = new Date(Number(nanoseconds / 1_000_000n))
  return Number.isNaN(time.getTime()) ? null : `${time.toISOString().slice(0, -5)}Z`
}
