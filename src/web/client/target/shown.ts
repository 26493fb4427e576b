import type { DriftedFile } from '../../../contract/report.ts'
import type { StatusJson, StatusRow } from '../../../contract/status-json.ts'
import type { TargetDetails } from '../../../contract/target.ts'

type File = TargetDetails['files'][number]

/** A target's page, of now or of a moment in the past. */
export interface Shown {
  readonly row: StatusRow
  readonly files: readonly (Omit<File, 'first_seen'> & { readonly first_seen: string | null })[]
  readonly filesTruncated: boolean
  readonly error: { readonly code: string; readonly message: string | null } | null
  readonly unchecked: readonly { readonly name: string; readonly reason: string }[]
  /** Of what was checked: what only the full check compares. */
  readonly unwatched: readonly { readonly name: string; readonly reason: string }[]
  readonly fullCheckAt: string | null
  /** In what two checks did not say the same; empty where that is not kept. Null: they did, as far as is known. */
  readonly disagreement: string | null
  readonly revision: { readonly commit: string; readonly branch?: string; readonly url?: string } | null
  readonly pipelineUrl: string | null
}

export function shownNow({
  status,
  files,
  files_truncated,
  error,
  coverage,
  check,
  revision,
  pipeline,
}: TargetDetails): Shown {
  return {
    row: status,
    files,
    filesTruncated: files_truncated,
    error,
    unchecked: coverage?.unchecked ?? [],
    unwatched: coverage?.unwatched ?? [],
    fullCheckAt: coverage?.full_check_at ?? null,
    disagreement: check?.disagreement ?? null,
    revision,
    pipelineUrl: pipeline?.url ?? null,
  }
}

/** Null when the target was not known then. */
export function shownThen({ items: [row], files, files_truncated, error }: StatusJson): Shown | null {
  if (row === undefined) return null
  return {
    row,
    files: files.map((file: DriftedFile) => ({ ...file, first_seen: null })),
    filesTruncated: files_truncated,
    error,
    unchecked: [],
    unwatched: [],
    fullCheckAt: null,
    disagreement: row.checks_disagree === 1 ? '' : null,
    revision: row.revision === null ? null : { commit: row.revision },
    pipelineUrl: row.pipeline_url,
  }
}
