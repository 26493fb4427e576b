import { type Certified, knownOf } from '../../src/drift/baseline/baseline.ts'
import { type BindingFacts, bindingsOf } from '../../src/drift/baseline/binding.ts'
import { watchedOf } from '../../src/drift/baseline/bless.ts'
import type { Named } from '../../src/drift/evidence.ts'
import type { HostSnapshot } from '../../src/drift/snapshot/host-snapshot.ts'
import { aFile, aSnapshot, wholeFile } from './snapshot-builder.ts'

export const KEY = Buffer.alloc(32, 1)

export const GIT: BindingFacts = {
  commit: 'a'.repeat(40),
  changes: '',
  playbook: '/repository/site.yml',
  inventory: '{"all": {"hosts": ["web1"]}}',
  ansibleArgs: [],
  variables: {},
  hostKeys: '',
}

/** One file that Git says wholly, certified a minute after the epoch of the tests. */
export function aCertified({
  snapshot = aSnapshot({ '/etc/app.conf': aFile() }),
  named = [wholeFile('/etc/app.conf')],
  git = GIT,
  host = 'web1',
  ...certified
}: Partial<Certified> & {
  readonly snapshot?: HostSnapshot
  readonly named?: readonly Named[]
  readonly git?: BindingFacts
  readonly host?: string
} = {}): Certified {
  const listed = [...snapshot.listings.keys()].map((path) => ({ path_base64: path, recurse: false }))
  const watched = watchedOf({ named, listed, looked_for: [] })
  const declared = new Map(named.map(({ path_base64, compares }) => [path_base64 ?? '', compares]))
  return {
    ...knownOf(snapshot, { watched, declared, key: KEY }),
    binding: bindingsOf(git, KEY)(host),
    commit: git.commit,
    coverage: { checked: named.length, total: named.length, unchecked: [] },
    watchedCount: named.length,
    unwatched: [],
    fullCheckAt: new Date('2026-04-21T10:00:00Z'),
    isSameEdit: false,
    ...certified,
  }
}
