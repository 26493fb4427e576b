import type { EpochMs, Received } from './report.ts'
import { checkedBy } from './target-state.ts'

/**
 * One OUT_OF_SYNC stretch of a target. A failed check or silence does not end it: only a check that finds no drift does.
 *
 * Nobody saw the moment in which the drift began or ended, so both are told as windows between two checks.
 */
export interface Episode {
  /** The newest check before it, which found no drift. Null when there was none: it may have begun at any time. */
  readonly lastCleanAt: EpochMs | null
  readonly firstDirtyAt: EpochMs
  readonly lastDirtyAt: EpochMs
  /** The first check that found no drift again. Null while it lasts. */
  readonly firstCleanAt: EpochMs | null
  /** How many checks found drift. */
  readonly checks: number
  readonly maxDriftCount: number
}

/** The episode that goes on, and the one that this finding ended. */
export interface Episodes {
  readonly open: Episode | null
  readonly closed: Episode | null
}

/** Takes a newer finding into account. `previous` is the finding before it. */
export function followFinding(open: Episode | null, previous: Received | null, finding: Received): Episodes {
  const checkedAt = checkedBy(finding)
  const { status, driftCount } = finding.report
  if (status !== 'OUT_OF_SYNC') return { open: null, closed: open && { ...open, firstCleanAt: checkedAt } }
  if (open === null) {
    return {
      open: {
        lastCleanAt: previous === null ? null : checkedBy(previous),
        firstDirtyAt: checkedAt,
        lastDirtyAt: checkedAt,
        firstCleanAt: null,
        checks: 1,
        maxDriftCount: driftCount,
      },
      closed: null,
    }
  }
  return {
    open: {
      lastCleanAt: open.lastCleanAt,
      firstDirtyAt: open.firstDirtyAt,
      lastDirtyAt: checkedAt,
      firstCleanAt: null,
      checks: open.checks + 1,
      maxDriftCount: Math.max(open.maxDriftCount, driftCount),
    },
    closed: null,
  }
}
