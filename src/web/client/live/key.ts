import type { StatusRow } from '../../../contract/status-json.ts'

// A space cannot occur in either name.
export function keyOf({ repo, server }: Pick<StatusRow, 'repo' | 'server'>): string {
  return `${repo} ${server}`
}
