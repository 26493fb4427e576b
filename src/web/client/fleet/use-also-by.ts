import { useMemo } from 'react'
import type { StatusRow } from '../../../contract/status-json.ts'
import { keyOf } from '../live/key.ts'
import { useJson } from '../parts/use-json.ts'
import { hasMorePersons } from './wish.ts'

/**
 * The keys of targets of which a person changed a file. A row has room for the first few names only: where there are
 * more, the server is asked.
 */
export function useAlsoBy(rows: readonly StatusRow[], who: string): ReadonlySet<string> {
  const version = useMemo(
    () => (who === '' ? '' : rows.filter(hasMorePersons).map(nameOfDrift).join('\n')),
    [rows, who],
  )
  const path = version === '' ? null : `api/v1/status?${new URLSearchParams({ modified_by: who })}`
  const { value } = useJson<readonly StatusRow[]>(path, version)
  return useMemo(() => new Set((value ?? []).map(keyOf)), [value])
}

/** Another one when other people may have changed files of it. */
function nameOfDrift(row: StatusRow): string {
  return [keyOf(row), row.drift_id, row.drift_since, row.modified_by].join(' ')
}
