import type { CoverageGap } from '../contract/watched.ts'
import type { Reason } from '../domain/effective-status.ts'
import type { SyncStatus } from '../domain/report.ts'

/** What a badge is about: one target, or several together. */
export interface Shown {
  /** The worst of all. */
  readonly status: SyncStatus
  readonly reason: Reason | null
  readonly driftCount: number
  readonly targetCount: number
  /** How many of them show that status. */
  readonly worstCount: number
  /** How many of all stand on a part of what is declared, and that of the first of them. */
  readonly gapCount: number
  readonly gap: CoverageGap | null
  /** What is recorded can be read. Otherwise nobody knows whether this still holds, and a picture has no room to say since when. */
  readonly isKnown: boolean
}

export interface Badge {
  readonly label: string
  readonly message: string
  readonly color: string
}

const DEFAULT_LABEL = 'gitops'
// Longer ones are no badges any more.
const MAX_LABEL_LENGTH = 60

// White text on each has a contrast of at least 4.5:1. The words alone say the same.
const COLORS = { SYNCED: '#116329', OUT_OF_SYNC: '#a40e26', UNKNOWN: '#7a4400' } satisfies Record<SyncStatus, string>
const NOBODY_KNOWS = '#57606a'

const UNKNOWN_WORDS = {
  stale: 'stale',
  check_failed: 'unknown',
  never_reported: 'never reported',
} satisfies Record<Reason, string>

/** The status of one target or of several together, in two words. */
export function badgeOf(shown: Shown, label: string | undefined): Badge {
  return {
    label: cleanLabel(label ?? '') || DEFAULT_LABEL,
    message: messageOf(shown),
    color: shown.targetCount === 0 || !shown.isKnown ? NOBODY_KNOWS : COLORS[shown.status],
  }
}

function messageOf({ status, reason, driftCount, targetCount, worstCount, gapCount, gap, isKnown }: Shown): string {
  if (!isKnown) return 'unknown'
  if (status === 'SYNCED') {
    // What looked at a part must not look like what looked at everything.
    if (gap === null) return 'synced'
    if (targetCount > 1) return `synced (${gapCount} of ${targetCount} in part)`
    return `synced (${gap.done} of ${gap.of} ${gap.what})`
  }
  const word = status === 'OUT_OF_SYNC' ? 'out of sync' : UNKNOWN_WORDS[reason ?? 'check_failed']
  if (targetCount > 1) return `${word} (${worstCount} of ${targetCount})`
  return status === 'OUT_OF_SYNC' ? `${word} (${driftCount})` : word
}

// What is no character of XML breaks the whole picture, and what turns the direction of text could make the badge say
// something else. What does not show is left out like them: a label is chosen by who shows the badge, not reported.
function cleanLabel(label: string): string {
  return [...label.replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '')]
    .slice(0, MAX_LABEL_LENGTH)
    .join('')
    .trim()
}

/** https://shields.io/badges/endpoint-badge */
export interface ShieldsEndpoint extends Badge {
  readonly schemaVersion: 1
  readonly cacheSeconds: number
}

// The shortest time that shields.io takes.
const SHIELDS_CACHE_SECONDS = 300

export function shieldsEndpointOf({ label, message, color }: Badge): ShieldsEndpoint {
  return { schemaVersion: 1, label, message, color, cacheSeconds: SHIELDS_CACHE_SECONDS }
}
