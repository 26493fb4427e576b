// Longer values, and those of several lines, stand below the line: a command to copy, a stack to read.
const MAX_BESIDE = 60

/** A line of the log for people at a terminal, made of the one for machines. */
export function readableLine(json: string): string {
  const { level, time, msg, ...fields }: Record<string, unknown> = JSON.parse(json)
  const values = Object.entries(fields).map(([name, value]) => ({ name, text: textOf(value) }))
  const isShort = ({ text }: { text: string }) => text.length <= MAX_BESIDE && !text.includes('\n')

  const line = [
    String(time).slice('2026-04-21T'.length),
    String(level).toUpperCase().padEnd(5),
    printable(String(msg)),
    ...values.filter(isShort).map(({ name, text }) => `${name}=${printable(text)}`),
  ]
  const below = values
    .filter((value) => !isShort(value))
    .flatMap(({ name, text }) => `${name}: ${text}`.split('\n'))
    .map((text) => `    ${printable(text)}`)
  return [line.join(' '), ...below, ''].join('\n')
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && 'stack' in value) return String(value.stack)
  return JSON.stringify(value)
}

// What others sent may end up in a field, and a terminal obeys control characters.
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}
