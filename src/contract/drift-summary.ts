import { digestOf } from './content.ts'
import type { DriftedFile } from './report.ts'

/** A target's drift in two short texts. */
export interface DriftSummary {
  /** Equal for targets whose drift is the same: the same files, changed in the same way. */
  readonly drift_id: string | null
  /** The names of the first files, and how many more there are. */
  readonly drifted_files: string | null
}

const NO_DRIFT: DriftSummary = { drifted_files: null, drift_id: null }

const NAMES_SHOWN = 3
const MAX_NAME_LENGTH = 80

// A list of files is kept once for all checks and targets that found it, so it is summed up once.
// Of one that was cut short, the same files may stand for other numbers.
const summaries = new WeakMap<readonly DriftedFile[], { readonly count: number; readonly summary: DriftSummary }>()

export function driftSummaryOf(files: readonly DriftedFile[], driftCount: number): DriftSummary {
  if (files.length === 0) return NO_DRIFT
  const known = summaries.get(files)
  if (known?.count === driftCount) return known.summary
  const summary = { drifted_files: namesOf(files, driftCount), drift_id: driftIdOf(files) }
  summaries.set(files, { count: driftCount, summary })
  return summary
}

// Not when it was changed and by whom, nor the words of the difference, which name the server's own temporary files.
function driftIdOf(files: readonly DriftedFile[]): string {
  const parts = files.map(({ name, kind, change, expected, actual }) =>
    JSON.stringify([name, kind, change, factsOf(expected), factsOf(actual)]),
  )
  return digestOf(parts.sort().join('\n')).slice(0, 12)
}

function factsOf(facts: DriftedFile['expected']) {
  return facts && [facts.sha256, facts.mode, facts.owner, facts.group, facts.type]
}

function namesOf(files: readonly DriftedFile[], driftCount: number): string {
  const names = files.slice(0, NAMES_SHOWN).map(({ name }) => shorten(name))
  const more = driftCount - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

function shorten(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH).toWellFormed()}…` : name
}
