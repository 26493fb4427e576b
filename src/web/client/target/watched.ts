import type { StatusRow } from '../../../contract/status-json.ts'
import { durationWords } from '../parts/time-words.ts'
import { countOf } from '../parts/words.ts'

/**
 * How much of a target the fast check watches, as `41 of 47 tasks watched, 6 only by the full check 14 min ago`. Null
 * where reports do not say.
 *
 * @param fullCheckMs How long ago the full check was; null when that is not known.
 */
export function watchedWords(
  { checked, watched, unwatched }: Pick<StatusRow, 'checked' | 'watched' | 'unwatched'>,
  fullCheckMs: number | null,
): string | null {
  if (checked === null || watched === null || unwatched === null) return null
  const ago = fullCheckMs === null ? '' : ` ${durationWords(fullCheckMs)} ago`
  const rest = unwatched > 0 ? `, ${unwatched.toLocaleString('en')} only by the full check${ago}` : ''
  const whole = unwatched === 0 && ago !== '' ? `, full check${ago}` : ''
  return `${watched.toLocaleString('en')} of ${countOf(checked, 'task')} watched${rest}${whole}`
}
