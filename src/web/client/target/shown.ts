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
  readonly revision: { readonly commit: string; readonly branch?: string; readonly url?: string } | null
  readonly pipelineUrl: string | null
}

export function shownNow({
  status,
  files,
  files_truncated,
  error,
  coverage,
  revision,
  pipeline,
}: TargetDetails): Shown {
  return {
    row: status,
    files,
    filesTruncated: files_truncated,
    error,
    unchecked: coverage?.unchecked ?? [],
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
    revision: row.revision === null ? null : { commit: row.revision },
    pipelineUrl: row.pipeline_url,
  }
}
