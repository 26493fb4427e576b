import type { StatusRow } from '../../../contract/status-json.ts'
import { CAUSE_MEANS, CAUSE_WORD } from './cause.ts'

export type SyncStatus = StatusRow['sync_status']
export type Freshness = NonNullable<StatusRow['freshness']>

/** Worst first. */
export const STATUSES: readonly SyncStatus[] = ['OUT_OF_SYNC', 'UNKNOWN', 'SYNCED']

export const STATUS_WORD: Readonly<Record<SyncStatus, string>> = {
  OUT_OF_SYNC: 'Out of sync',
  UNKNOWN: 'Unknown',
  SYNCED: 'Synced',
}

export const FRESHNESSES: readonly Freshness[] = ['STALE', 'LATE', 'FRESH']

export const FRESHNESS_WORD: Readonly<Record<Freshness, string>> = {
  FRESH: 'Fresh',
  LATE: 'Late',
  STALE: 'Stale',
}

export const FRESHNESS_MEANS: Readonly<Record<Freshness, string>> = {
  FRESH: 'reports come in time',
  LATE: 'a report is due',
  STALE: 'nothing came in time, so what is true now is not known',
}

interface CauseWords {
  readonly word: string
  readonly means: string
  readonly isOf: (row: StatusRow) => boolean
}

/** Why a target is not in sync, as its row says it. A new one is a line here; the filter and its address follow. */
export const CAUSES = {
  check_failed: {
    word: 'Check failed',
    means: 'The check did not run to its end',
    isOf: ({ reason }) => reason === 'check_failed',
  },
  stale: {
    word: 'Silent',
    means: 'No report came in time',
    isOf: ({ reason }) => reason === 'stale',
  },
  server_changed: ofDrift('SERVER_CHANGED'),
  pending_deploy: ofDrift('PENDING_DEPLOY'),
  both: ofDrift('BOTH'),
  same_edit: ofDrift('SAME_EDIT'),
} satisfies Readonly<Record<string, CauseWords>>

function ofDrift(cause: keyof typeof CAUSE_WORD): CauseWords {
  const word = CAUSE_WORD[cause]
  return {
    word: word.slice(0, 1).toUpperCase() + word.slice(1),
    means: CAUSE_MEANS[cause],
    isOf: (row) => row.cause === cause,
  }
}

export type Cause = keyof typeof CAUSES

export const CAUSE_NAMES = Object.keys(CAUSES) as readonly Cause[]

export const CHANGE_WORD: Readonly<Record<string, string>> = {
  modified: 'modified',
  missing: 'missing on the server',
  extra: 'extra: not in Git',
  metadata: 'mode or owner',
}

/** What an UNKNOWN is about, in a few words. Empty for the others. */
export function whyUnknown({ reason, error_message, error_code, last_known_status }: StatusRow): string {
  if (reason === 'check_failed') return `Check failed: ${error_message ?? error_code ?? 'no reason given'}`
  if (reason !== 'stale') return ''
  return last_known_status === null ? 'Silent, and never known' : `Silent; was ${STATUS_WORD[last_known_status]}`
}

/** The same as a sentence, without what the check itself said. Empty for the others. */
export function unknownSentence({ reason, last_known_status }: StatusRow): string {
  if (reason === 'check_failed') return 'Whether the server matches Git is not known: the check failed.'
  if (reason !== 'stale') return ''
  const before =
    last_known_status === null ? 'It was never known.' : `It was ${STATUS_WORD[last_known_status]} when last heard of.`
  return `Whether the server matches Git is not known: no report came in time. ${before}`
}

// Made once: each `toLocaleString` would make one anew, for every line of a list.
const NUMBER = new Intl.NumberFormat('en')

export function numberWords(value: number): string {
  return NUMBER.format(value)
}

export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${numberWords(count)} ${count === 1 ? one : many}`
}
