import type { Drift, Verdict } from '../judge.ts'
import type { HostSnapshot } from '../snapshot/host-snapshot.ts'
import { type Certified, knownOf } from './baseline.ts'
import { bless } from './bless.ts'

/**
 * How a host stood while the full check found drift on it. As long as it stands so it is the same drift, and Ansible
 * need not say it again: unlike a certified state it is no word about Git, but about these very differences.
 */
export interface Confirmed extends Pick<Certified, 'paths' | 'listings'> {
  readonly verdict: Verdict
}

/** Null where somebody worked on the host meanwhile: the check may have found what is there no more, or missed some. */
export function confirmedBy(
  verdict: Verdict,
  { before, after, key }: { readonly before: HostSnapshot | null; readonly after: HostSnapshot; readonly key: Buffer },
): Confirmed | null {
  const { status, seen, drift } = verdict
  if (status !== 'OUT_OF_SYNC' || seen === null) return null
  const drifted = new Set(drift.map(({ path_base64 }) => path_base64))
  // Of a file that differs Ansible gives the checksum of what it would write.
  const named = seen.named.map((one) => (drifted.has(one.path_base64) ? { ...one, sha1: null } : one))
  const blessing = bless({ before, after, seen: { ...seen, named } })
  if (blessing.kind !== 'blessed') return null
  return { ...knownOf(after, { ...blessing, key }), verdict }
}

/** Whether nothing of this drift is left once a look finds the host as certified. */
export function isAllWatched(drift: readonly Drift[], certified: Pick<Certified, 'paths' | 'listings'>): boolean {
  const listings = [...certified.listings.keys()]
  return drift.every(({ path_base64: path }) => {
    return path !== null && (certified.paths.has(path) || listings.some((directory) => isIn(path, directory)))
  })
}

function isIn(path: string, directory: string): boolean {
  const [inner = '', outer = ''] = [path, directory].map((one) => Buffer.from(one, 'base64').toString('latin1'))
  return inner.startsWith(`${outer.replace(/\/+$/, '')}/`)
}
