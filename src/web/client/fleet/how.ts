import type { DriftedFile } from '../../../contract/report.ts'
import { CHANGE_WORD } from '../parts/words.ts'

const FACTS = ['type', 'mode', 'owner', 'group'] as const

/** How a file differs, in a few words: `content, mode 0644 → 0600`. Empty where the report does not say. */
export function howWords({ kind, change, expected, actual }: Omit<DriftedFile, 'name'>): string {
  if (kind === 'resource') return 'not a file: a task'
  if (change === 'missing' || change === 'extra') return CHANGE_WORD[change] ?? ''
  const parts: string[] = change === 'modified' || differ(expected?.sha256, actual?.sha256) ? ['content'] : []
  for (const name of FACTS) {
    if (differ(expected?.[name], actual?.[name])) parts.push(`${name} ${expected?.[name]} → ${actual?.[name]}`)
  }
  return parts.length > 0 || change === undefined ? parts.join(', ') : (CHANGE_WORD[change] ?? '')
}

// What is known of one side alone is no difference.
function differ(expected: string | undefined, actual: string | undefined): boolean {
  return expected !== undefined && actual !== undefined && expected !== actual
}
