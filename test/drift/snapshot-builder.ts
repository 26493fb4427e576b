import { createHash } from 'node:crypto'
import type { Named } from '../../src/drift/evidence.ts'
import type {
  FileFacts,
  HostClock,
  HostSnapshot,
  Listing,
  OtherFacts,
  PathFacts,
} from '../../src/drift/snapshot/host-snapshot.ts'

const SECOND = 1_000_000_000n

/** When the look before a check is taken; what nobody has touched lately is an hour older. */
export const LOOK_AT = 1_700_000_000n * SECOND
const LONG_AGO = LOOK_AT - 3_600n * SECOND

export function base64(path: string): string {
  return Buffer.from(path).toString('base64')
}

export function aFile({ text = 'v=1\n', ...facts }: Partial<FileFacts> & { text?: string } = {}): FileFacts {
  return {
    kind: 'file',
    ...ofRoot('0644'),
    inode: 11n,
    size: BigInt(text.length),
    links: 1,
    sha256: sha('sha256', text),
    sha1: sha('sha1', text),
    ...facts,
  }
}

export function aDirectory(facts: Partial<OtherFacts> = {}): OtherFacts {
  return { kind: 'directory', ...ofRoot('0755'), inode: 7n, target: null, ...facts }
}

export function aLink(target: string, facts: Partial<OtherFacts> = {}): OtherFacts {
  return { kind: 'link', ...ofRoot('0777'), inode: 13n, target: base64(target), ...facts }
}

/** A look `seconds` after the first one, at these paths by name. */
export function aSnapshot(
  paths: Readonly<Record<string, PathFacts>>,
  { seconds = 0, listings = {}, clock = {} }: SnapshotOptions = {},
): HostSnapshot {
  const passed = BigInt(seconds) * SECOND
  return {
    clock: { realtime: LOOK_AT + passed, boottime: 5_000n * SECOND + passed, bootId: 'boot-1', ...clock },
    paths: new Map(Object.entries(paths).map(([path, facts]) => [base64(path), facts])),
    listings: new Map(Object.entries(listings).map(([path, listing]) => [base64(path), listing])),
  }
}

interface SnapshotOptions {
  readonly seconds?: number
  readonly listings?: Readonly<Record<string, Listing>>
  readonly clock?: Partial<HostClock>
}

export function entries(...names: readonly string[]): Listing {
  return { kind: 'entries', entries: names.map((name) => `f${base64(name)}`).sort() }
}

/** A clean result of copy or template. */
export function wholeFile(path: string, text = 'v=1\n'): Named {
  return {
    task: `Write ${path}`,
    path_base64: base64(path),
    why: null,
    sha1: sha('sha1', text),
    compares: ['content', 'mode', 'owner', 'group'],
  }
}

/** A clean result of lineinfile. */
export function someLines(path: string): Named {
  return {
    task: `Edit ${path}`,
    path_base64: base64(path),
    why: null,
    sha1: null,
    compares: ['part_of_content', 'mode'],
  }
}

export function sha(algorithm: 'sha1' | 'sha256', text: string): string {
  return createHash(algorithm).update(text).digest('hex')
}

function ofRoot(mode: string) {
  const times = { mtime: LONG_AGO, ctime: LONG_AGO }
  return { mode, owner: 'root', group: 'root', uid: 0, gid: 0, device: 1n, ...times }
}
