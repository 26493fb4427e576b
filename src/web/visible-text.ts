/** A piece of a text. A mark stands for characters that do not show, and names them. */
export interface Piece {
  readonly text: string
  readonly isMark: boolean
}

// What has no ink of its own, or passes for a plain space, or turns the direction of what follows: U+202E would show
// "photo_exe.gpj" as "photo_jpg.exe". More than four accents on one letter lie over the lines above and below.
const HIDDEN =
  '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u2800\\ufffc]|(?! )\\p{Zs}|(?<=^|\\p{M}{4})\\p{M}'
// Two names that differ in a space before or after them look the same.
const IN_NAME = new RegExp(`(?:${HIDDEN}|^ | $)+`, 'gu')
const IN_LINES = new RegExp(`(?:(?![\\t\\n])(?:${HIDDEN}))+`, 'gu')

/**
 * Cuts a text that came from outside into what shows and what does not, so that no name can pass for another.
 *
 * @param hasLines Tabs and line ends are what they are, as in a difference or a message; in a name they are hidden.
 */
export function visiblePieces(text: string, hasLines = false): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: hidden, index } of text.matchAll(hasLines ? IN_LINES : IN_NAME)) {
    if (index > end) pieces.push({ text: text.slice(end, index), isMark: false })
    pieces.push({ text: codesOf(hidden), isMark: true })
    end = index + hidden.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), isMark: false })
  return pieces
}

/** The same as one text, for where nothing but text can stand. */
export function visibleText(text: string, hasLines = false): string {
  return visiblePieces(text, hasLines)
    .map((piece) => (piece.isMark ? `[${piece.text}]` : piece.text))
    .join('')
}

// A thousand times the same says no more than once and how often.
function codesOf(hidden: string): string {
  const runs: { readonly char: string; count: number }[] = []
  for (const char of hidden) {
    const last = runs.at(-1)
    if (last?.char === char) last.count++
    else runs.push({ char, count: 1 })
  }
  return runs.map(({ char, count }) => (count === 1 ? codeOf(char) : `${codeOf(char)}×${count}`)).join(' ')
}

function codeOf(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
