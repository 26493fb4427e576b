import { visiblePieces } from '../../visible-text.ts'

interface Props {
  readonly text: string
  /** Tabs and line ends in it are meant. */
  readonly hasLines?: boolean
}

/** A text that came from outside: it turns nothing around it, and what would not show in it does. */
export function Reported({ text, hasLines = false }: Props) {
  return (
    <bdi>
      <Visible text={text} hasLines={hasLines} />
    </bdi>
  )
}

/** The same for a part of a text, where the whole stands apart already. */
export function Visible({ text, hasLines = false }: Props) {
  return visiblePieces(text, hasLines).map((piece, index) =>
    piece.isMark ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change their order
      <span key={index} className="hidden-char" title={`Characters that do not show: ${piece.text}`}>
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  )
}
