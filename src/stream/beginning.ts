import type { Change as Recorded } from '../domain/recorded.ts'
import type { Target } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import type { Beginning, Change } from './change-log.ts'

interface Known {
  readonly records: readonly { readonly record: TargetState; readonly seq: number }[]
  readonly seq: number
}

interface Silences extends Pick<Known, 'records'> {
  /** When a server was last known to be there. */
  readonly aliveAt: Date | null
}

/** What the log begins with. Removals of before are not at hand: who has seen less than all of it begins anew. */
export function beginningOf({ records, seq }: Known): Beginning {
  const changes = records
    .map(({ record, seq }) => targetChange(record.newest.report.target, seq))
    .sort((a, b) => a.seq - b.seq)
  return { seq, removalsKnownSince: seq, changes }
}

/**
 * Targets whose silence a client may know otherwise than this server shows it, as changes for the log to go on with.
 *
 * What the servers before told of silence has no number, so nobody can say who heard it. Some went LATE or STALE while
 * no server was there to tell; others were told so and have one period and grace anew. Either way an id that is good
 * would leave a client with the wrong one for as long as the target says nothing: for ever, of a dead one.
 */
export function perhapsSilentBefore({ records, aliveAt }: Silences, startedAt: Date): Change[] {
  // This machine's clock may have been set back since.
  const knownUntilMs = Math.max(startedAt.getTime(), aliveAt?.getTime() ?? 0)
  return records
    .map(({ record }) => record.newest)
    .filter(({ report, arrivedAt }) => knownUntilMs - arrivedAt.getTime() > report.periodMs)
    .map(({ report }) => ({ target: report.target, event: 'target', seq: null }))
}

/** What was recorded, as the stream tells it. */
export function streamChangeOf(change: Recorded) {
  return 'removed' in change
    ? ({ target: change.removed, event: 'removed', seq: change.seq } as const)
    : targetChange(change.received.report.target, change.seq)
}

function targetChange(target: Target, seq: number) {
  return { target, event: 'target', seq } as const
}
