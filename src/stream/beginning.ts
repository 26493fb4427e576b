import type { Change as Recorded } from '../domain/recorded.ts'
import type { Target } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import type { Beginning } from './change-log.ts'

interface Known {
  readonly records: readonly { readonly record: TargetState; readonly seq: number }[]
  readonly seq: number
}

/** What the log begins with. Removals of before are not at hand: who has seen less than all of it begins anew. */
export function beginningOf({ records, seq }: Known): Beginning {
  const changes = records
    .map(({ record, seq }) => targetChange(record.newest.report.target, seq))
    .sort((a, b) => a.seq - b.seq)
  return { seq, removalsKnownSince: seq, changes }
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
