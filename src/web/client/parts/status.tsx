import { FRESHNESS_MEANS, FRESHNESS_WORD, type Freshness, STATUS_WORD, type SyncStatus } from './words.ts'

/** Icon, word and colour: none of them alone. */
export function Status({ status, isLarge = false }: { readonly status: SyncStatus; readonly isLarge?: boolean }) {
  return (
    <span className={`status ${status}${isLarge ? ' large' : ''}`}>
      <StatusIcon status={status} />
      {STATUS_WORD[status]}
    </span>
  )
}

const SHAPE: Readonly<Record<SyncStatus, string>> = {
  SYNCED: 'M3.5 8.5l3 3 6-7',
  OUT_OF_SYNC: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
  UNKNOWN: 'M5.6 6.1a2.4 2.4 0 1 1 3.6 2.1c-.8.45-1.2.9-1.2 1.8M8 12.6v.1',
}

// Each has an outline of its own too: a disc, a diamond, a square.
const OUTLINE: Readonly<Record<SyncStatus, string>> = {
  SYNCED: 'M8 0a8 8 0 1 1 0 16a8 8 0 1 1 0-16z',
  OUT_OF_SYNC: 'M8-1l9 9-9 9-9-9z',
  UNKNOWN: 'M1 0h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H1a1 1 0 0 1-1-1V1a1 1 0 0 1 1-1z',
}

export function StatusIcon({ status }: { readonly status: SyncStatus }) {
  return (
    <svg className="icon" viewBox="-1 -1 18 18" aria-hidden="true">
      <path className="outline" d={OUTLINE[status]} />
      <path className="shape" d={SHAPE[status]} />
    </svg>
  )
}

export function FreshnessMark({ freshness }: { readonly freshness: Freshness | null }) {
  if (freshness === null || freshness === 'FRESH') return null
  return (
    <span className={`mark ${freshness}`} title={`${FRESHNESS_WORD[freshness]}: ${FRESHNESS_MEANS[freshness]}`}>
      <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path className="clock" d="M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13zM8 4.5V8l2.6 1.8" />
      </svg>
      {FRESHNESS_WORD[freshness]}
    </span>
  )
}
