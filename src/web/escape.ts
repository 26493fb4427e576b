import { visiblePieces } from './visible-text.ts'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text of our own, safe between tags and within quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
}

/** Text that came from outside, for between tags: it turns nothing around it, and what would not show in it does. */
export function reportedHtml(text: string): string {
  const pieces = visiblePieces(text).map((piece) =>
    piece.isMark ? `<b class="hidden-char">${piece.text}</b>` : escapeHtml(piece.text),
  )
  return `<bdi>${pieces.join('')}</bdi>`
}
