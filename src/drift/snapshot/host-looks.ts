import type { CheckError } from '../check-error.ts'
import type { HostAccess } from './host-access.ts'
import {
  type EvidenceQuestion,
  type EvidenceResult,
  type HostOptions,
  type HostSession,
  openHost,
} from './host-session.ts'
import type { SnapshotResult, Watched } from './host-snapshot.ts'
import { createSlots } from './slots.ts'

export interface LookRequest {
  /** As the inventory calls it. */
  readonly name: string
  readonly access: HostAccess
  readonly watched: Watched
}

export interface HostLooks {
  /**
   * Never rejects: the host ends in a snapshot or in the reason why there is none. The connection stays open for the
   * next look; one that has ended is opened anew. One look at a time for each host.
   */
  lookAt(request: LookRequest, deadlines: Deadlines): Promise<SnapshotResult>
  /** Looks at all of them at once; none waits for another that hangs. The result is there when the last one is. */
  lookAtAll(requests: readonly LookRequest[], deadlines: Deadlines): Promise<ReadonlyMap<string, SnapshotResult>>
  /** What a host has logged about who may have changed some files, over the same connection. Never rejects. */
  evidence(
    host: Pick<LookRequest, 'name' | 'access'>,
    question: EvidenceQuestion,
    deadlines: Deadlines,
  ): Promise<EvidenceResult>
  close(): void
}

export interface Deadlines {
  /** From the moment at which its turn to connect has come until its agent is there. */
  readonly connectMs: number
  /** From the question to the whole answer. */
  readonly lookMs: number
}

export const DEADLINES: Deadlines = { connectMs: 15_000, lookMs: 30_000 }

export function openHostLooks(options: HostOptions): HostLooks {
  const sessions = new Map<string, HostSession>()
  const slots = createSlots()
  const asking = createSlots()
  let isClosed = false

  async function sessionOf(
    { name, access }: Pick<LookRequest, 'name' | 'access'>,
    deadlineMs: number,
  ): Promise<HostSession | Failed> {
    const key = `${name} ${JSON.stringify(access)}`
    const kept = sessions.get(key)
    if (kept !== undefined && kept.ended === null) return kept
    const session = await slots.use(() => openHost(access, options, deadlineMs))
    if ('error' in session) return session
    if (isClosed) session.close()
    else sessions.set(key, session)
    return session
  }

  async function lookAt(request: LookRequest, { connectMs, lookMs }: Deadlines): Promise<SnapshotResult> {
    const session = await sessionOf(request, connectMs)
    return 'error' in session ? session : session.look(request.watched, lookMs)
  }

  return {
    lookAt,
    async lookAtAll(requests, deadlines) {
      const results = requests.map(async (request) => [request.name, await lookAt(request, deadlines)] as const)
      return new Map(await Promise.all(results))
    },
    // Many may have drifted at once, and each answer takes its share of our memory.
    async evidence(host, question, { connectMs }) {
      return asking.use(async () => {
        const session = await sessionOf(host, connectMs)
        return 'error' in session ? session : session.evidence(question)
      })
    },
    close() {
      isClosed = true
      for (const session of sessions.values()) session.close()
      sessions.clear()
    },
  }
}

type Failed = { readonly error: CheckError }

/** One look at each, with connections of its own. */
export async function lookAtAll(
  requests: readonly LookRequest[],
  options: HostOptions,
  deadlines = DEADLINES,
): Promise<ReadonlyMap<string, SnapshotResult>> {
  const looks = openHostLooks(options)
  try {
    return await looks.lookAtAll(requests, deadlines)
  } finally {
    looks.close()
  }
}
