import type { StatusRow } from '../../../contract/status-json.ts'
import { countOf } from '../parts/words.ts'

/**
 * How much of a target the fast check watches, as `41 of 47 tasks watched, 6 only by the full check 14 min ago`. Null
 * where reports do not say.
 *
 * @param fullCheck How long ago the full check was, in words; null when that is not known.
 */
export function watchedWords(
  { checked, watched, unwatched }: Pick<StatusRow, 'checked' | 'watched' | 'unwatched'>,
  fullCheck: string | null,
): string | null {
  if (checked === null || watched === null || unwatched === null) return null
  const ago = fullCheck === null ? '' : ` ${fullCheck}`
  const rest = unwatched > 0 ? `, ${unwatched.toLocaleString('en')} only by the full check${ago}` : ''
  const whole = unwatched === 0 && ago !== '' ? `, full check${ago}` : ''
  return `${watched.toLocaleString('en')} of ${countOf(checked, 'task')} watched${rest}${whole}`
}
