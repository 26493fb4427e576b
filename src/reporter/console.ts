/** Where a command writes. Data for programs and for people's eyes goes to `out`, messages about the run to `err`. */
export interface Console {
  out(line: string): void
  err(line: string): void
}

/** JSON for programs that a terminal shows harmlessly, too: nothing in it moves a cursor or turns the text round. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...character.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  )
}
