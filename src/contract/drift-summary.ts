import { digestOf } from './content.ts'
import type { DriftedFile } from './report.ts'

/** A target's drift in short texts. */
export interface DriftSummary {
  /** Equal for targets whose drift is the same: the same files, changed in the same way, as far as the reports say. */
  readonly drift_id: string | null
  /** The names of the first files, and how many more there are. */
  readonly drifted_files: string | null
  /** Who changed them, as far as the reports say: the first names, and how many more. */
  readonly modified_by: string | null
}

const NO_DRIFT: DriftSummary = { drifted_files: null, drift_id: null, modified_by: null }

const NAMES_SHOWN = 3
const MAX_NAME_LENGTH = 80

// A list of files is kept once for all checks and targets that found it, so it is summed up once.
// Of one that was cut short, the same files may stand for other numbers.
const summaries = new WeakMap<readonly DriftedFile[], { readonly count: number; readonly summary: DriftSummary }>()

export function driftSummaryOf(files: readonly DriftedFile[], driftCount: number): DriftSummary {
  if (files.length === 0) return NO_DRIFT
  const known = summaries.get(files)
  if (known?.count === driftCount) return known.summary
  const persons = new Set(files.flatMap(({ modified_by }) => modified_by ?? []))
  const summary = {
    drifted_files: listed(
      files.map(({ name }) => name),
      driftCount,
    ),
    drift_id: driftIdOf(files, driftCount),
    modified_by: persons.size === 0 ? null : listed([...persons].sort(), persons.size),
  }
  summaries.set(files, { count: driftCount, summary })
  return summary
}

// Not when it was changed and by whom. Of a list that was cut short the rest is only known by its number.
function driftIdOf(files: readonly DriftedFile[], driftCount: number): string {
  const parts = files.map(({ name, name_base64, path, kind, change, expected, actual, diff }) =>
    JSON.stringify([
      name,
      name_base64,
      path,
      kind,
      change,
      factsOf(expected),
      factsOf(actual),
      diff && changesIn(diff),
    ]),
  )
  const cutOf = driftCount === files.length ? [] : [String(driftCount)]
  return digestOf([...parts.sort(), ...cutOf].join('\n')).slice(0, 12)
}

// The two lines above a difference name temporary files, which are called otherwise on each server and at each check.
// Further down such lines are what was changed.
const COMPARED_FILES = /^--- .*\n\+\+\+ .*\n(?=@@ )/

function changesIn(diff: string): string {
  return digestOf(diff.replace(COMPARED_FILES, ''))
}

function factsOf(facts: DriftedFile['expected']) {
  return facts && [facts.sha256, facts.mode, facts.owner, facts.group, facts.type]
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => shorten(readable(name)))
  const more = count - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

// In a line of text a name must not turn the words after it around, end the line or be read as another one.
const MISLEADING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function readable(name: string): string {
  return name.replace(MISLEADING, (character) =>
    [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

function shorten(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH).toWellFormed()}…` : name
}
