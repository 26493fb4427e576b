import { whyClockBroke } from '../snapshot/host-clock.ts'
import type { EvidenceQuestion, EvidenceResult } from '../snapshot/host-session.ts'
import type { HostClock, Path64 } from '../snapshot/host-snapshot.ts'
import { type Blame, judgeAll, type Span } from './blame.ts'
import type { People } from './people.ts'

/** The host was looked at twice, and what is asked about was changed in between. */
export interface Onset {
  /** When it was last as it had been known. */
  readonly after: HostClock
  /** When it was otherwise. */
  readonly before: HostClock
  /** Our own logins, by the host's clock. The one by which the host is asked is known without it. */
  readonly ownChecks: readonly Span[]
  readonly people: People
  readonly now: () => Date
}

export interface ChangedFile {
  readonly path: Path64
  readonly change: 'modified' | 'missing' | 'extra' | 'metadata'
  /** How many names the file had before; null when that is not known. */
  readonly linksAtStart: number | null
  /** Recorded roll-outs of this file, by our own clock, in seconds since 1970. */
  readonly deploys: readonly Span[]
}

// About so many files a host is asked at once, as much as its program takes.
const MAX_FILES = 200
const SECOND_NS = 1e9

/**
 * Asks a host who changed files, and judges its answer. Never rejects: of a host that does not answer, or whose clock
 * was set or started anew since it was last as known, nobody is named.
 *
 * @param ask A host session's `evidence`.
 */
export async function askWhoChanged(
  ask: (question: EvidenceQuestion) => Promise<EvidenceResult>,
  files: readonly ChangedFile[],
  { after, before, ownChecks, people, now }: Onset,
): Promise<ReadonlyMap<Path64, Blame>> {
  const asked = files.slice(0, MAX_FILES)
  if (asked.length === 0 || whyClockBroke(after, before) !== null) return new Map()
  const span = { after: seconds(after), before: seconds(before) }
  const answer = await ask({ paths: asked.map(({ path }) => path), ...span })
  // The host's clock as it answered: times of files and logs are held against it as well.
  if ('error' in answer || whyClockBroke(after, answer.evidence.clock) !== null) return new Map()

  const { evidence } = answer
  const ahead = seconds(evidence.clock) - now().getTime() / 1_000
  const blames = judgeAll(
    evidence,
    { people, ownChecks, live: null },
    asked.map(({ change, linksAtStart, deploys }, file) => ({
      file,
      change,
      window: { ...span, clockHeld: true, linksAtStart },
      deploys: deploys.map(({ from, to }) => ({ from: from + ahead, to: to + ahead, by: null })),
    })),
  )
  return new Map(asked.flatMap(({ path }, file) => (blames[file] ? [[path, blames[file]]] : [])))
}

function seconds({ realtime }: Pick<HostClock, 'realtime'>): number {
  return Number(realtime) / SECOND_NS
}
