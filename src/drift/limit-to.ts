import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

// --limit takes patterns; a name with none of their characters stands for itself only.
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/
// The kernel takes 128 KiB in one argument.
const MAX_LIMIT_LENGTH = 100_000

/** What makes a run touch these hosts alone; null where that cannot be said: then it looks at all of them. */
export function limitTo(hosts: readonly string[], directory: string): string | null {
  if (!hosts.every((host) => PLAIN_NAME.test(host))) return null
  const names = hosts.join(',')
  if (names.length <= MAX_LIMIT_LENGTH) return names
  const file = join(directory, `limit-${randomUUID()}`)
  writeFileSync(file, `${hosts.join('\n')}\n`)
  return `@${file}`
}
