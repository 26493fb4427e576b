import { type CheckError, checkError } from '../check-error.ts'
import { FAILED_WORDS, matching, UNREACHABLE_WORDS } from '../judge.ts'

// How ssh says that it failed itself; otherwise it ends as the command on the host did.
const SSH_FAILED = 255

/**
 * Why a connection ended before anything could be asked. What is said comes from ssh, from the host's shell and from
 * whatever that runs; the words choose between reasons for UNKNOWN, and can never make it anything else.
 */
export function whyNotOpened(code: number | null, said: string): CheckError {
  const detail = lastWords(said)
  if (code === SSH_FAILED) return checkError(matching(UNREACHABLE_WORDS, said) ?? 'unreachable', detail)
  if (matching(FAILED_WORDS, said) === 'become_failed') return checkError('become_failed', detail)
  // Shells have their own words for it, and some end with 1.
  if (code === NOT_FOUND || code === NOT_EXECUTABLE || /not found|unknown command|no such file/i.test(said)) {
    return checkError('python_missing', detail)
  }
  return checkError('look_failed', detail)
}

const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** The last line says what it came to; of a changed host key the first ones are rows of @. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/@{3,}/.test(line))
  return lines.at(-1) ?? ''
}
