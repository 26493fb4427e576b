import type { Badge } from './badge.ts'

const HEIGHT = 20
const PADDING = 6
const LABEL_COLOR = '#444c56'

/** A picture for a README. Nothing in it runs or is loaded. */
export function badgeSvg({ label, message, color }: Badge): string {
  const labelWidth = textWidth(label)
  const messageWidth = textWidth(message)
  const left = labelWidth + 2 * PADDING
  const width = left + messageWidth + 2 * PADDING
  const name = escapeXml(`${label}: ${message}`)

  // textLength: whoever has other fonts sees the words squeezed or spread, never cut off.
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${name}"><title>${name}</title><rect width="${width}" height="${HEIGHT}" rx="3" fill="${color}"/><path d="M3 0H${left}V20H3A3 3 0 0 1 0 17V3A3 3 0 0 1 3 0Z" fill="${LABEL_COLOR}"/><g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11"><text x="${PADDING}" y="14" textLength="${labelWidth}">${escapeXml(label)}</text><text x="${left + PADDING}" y="14" textLength="${messageWidth}">${escapeXml(message)}</text></g></svg>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
}

// Verdana at 11 pixels, rounded to half a pixel: a picture has no way to ask how wide its text is.
const WIDTHS: Readonly<Record<string, string>> = {
  3: "'il",
  4: ' ,.fj',
  4.5: '!Irt',
  5: '"()-/:;J[\\]|',
  6: '?Lcsz',
  6.5: 'Faekvxy',
  7: '$*0123456789EPTY_`bdghnopqu{}',
  7.5: 'ABCKRSVXZ',
  8: '&NU',
  8.5: 'DGHOQ',
  9: '#+<=>M^w~',
  10.5: 'm',
  11: '@W',
  12: '%',
}
const WIDTH_OF = new Map(
  Object.entries(WIDTHS).flatMap(([width, chars]) => [...chars].map((char) => [char, Number(width)])),
)
const WIDEST = 12

function textWidth(text: string): number {
  return Math.ceil([...text].reduce((sum, char) => sum + (WIDTH_OF.get(char) ?? WIDEST), 0))
}
