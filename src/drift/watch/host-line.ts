import { isDeepStrictEqual } from 'node:util'
import type { CheckError } from '../check-error.ts'
import type { HostAccess } from '../snapshot/host-access.ts'
import type { HostSession } from '../snapshot/host-session.ts'
import type { HostSnapshot, SnapshotResult, Watched } from '../snapshot/host-snapshot.ts'

export type Listened =
  | {
      readonly snapshot: HostSnapshot
      /** Why not every change rings; null: all that the kernel tells does. */
      readonly deaf: string | null
    }
  | { readonly error: CheckError }

/** The one connection to a host that a watch has. Whoever asks waits until those before have their answer. */
export interface HostLine {
  /** A look over the connection that is open, or over a new one. Never rejects. */
  look(access: HostAccess, watched: Watched): Promise<SnapshotResult>
  /** The same, with the bell set for `watched` before: no change falls between the two. */
  listen(access: HostAccess, watched: Watched): Promise<Listened>
  close(): void
}

export interface LineParts {
  readonly open: (access: HostAccess) => Promise<HostSession | { readonly error: CheckError }>
  readonly onBell: () => void
  /** Not called for `close`. */
  readonly onLost: () => void
}

// Large files take a second for each gigabyte or so.
const LOOK_MS = 30_000

export function createHostLine({ open, onBell, onLost }: LineParts): HostLine {
  let current: Current | null = null
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  async function connected(access: HostAccess): Promise<Current | { readonly error: CheckError }> {
    if (current !== null && current.session.ended === null && isDeepStrictEqual(current.access, access)) return current
    current?.session.close()
    current = null
    const session = await open(access)
    if ('error' in session) return session
    if (isClosed) session.close()
    const opened: Current = { session, access, rings: null, deaf: null }
    current = opened
    session.onEnd(() => {
      if (current === opened && !isClosed) onLost()
    })
    return opened
  }

  async function setBell(line: Current, watched: Watched): Promise<{ readonly error: CheckError } | null> {
    if (line.rings === watched) return null
    const onRing = ({ isChanged, why }: { isChanged: boolean; why: string | null }) => {
      line.deaf = why
      if (isChanged && current === line) onBell()
    }
    const bell = await line.session.watch(watched, onRing, LOOK_MS)
    if ('error' in bell) return bell
    line.rings = watched
    line.deaf = bell.why
    return null
  }

  return {
    look: (access, watched) =>
      inTurn(async () => {
        const line = await connected(access)
        return 'error' in line ? line : line.session.look(watched, LOOK_MS)
      }),
    listen: (access, watched) =>
      inTurn(async () => {
        const line = await connected(access)
        if ('error' in line) return line
        const failed = await setBell(line, watched)
        if (failed !== null) return failed
        const result = await line.session.look(watched, LOOK_MS)
        return 'error' in result ? result : { ...result, deaf: line.deaf }
      }),
    close() {
      isClosed = true
      current?.session.close()
    },
  }
}

interface Current {
  readonly session: HostSession
  readonly access: HostAccess
  /** What the bell is set for. */
  rings: Watched | null
  deaf: string | null
}
