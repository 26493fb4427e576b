/** What is looked at of a report's body; `report.ts` has the whole. */
interface Body {
  readonly drift_count: number
  readonly files: NamedFile[]
}

interface NamedFile {
  readonly name: string
  readonly name_base64?: string
  readonly path?: string
  readonly kind?: string
}

// A reporter with many long names cuts them, to 500 bytes at the least: two that are equal then may be two files.
const NEVER_CUT = 128

const CONTROL = /\p{Cc}/u

/**
 * The same report with names that can be shown and files that are counted once.
 *
 * A name is whatever somebody called a file on a server, and must not cost a report: control characters, which could
 * move a cursor or forge a line, are escaped for a sender that did not. A file that is named twice is one file: left in,
 * `drift_count` would say more than there is. Resources are named by their tasks, of which several may have one name.
 */
export function withSoundNames<Report extends Body>(
  body: Report,
): { readonly body: Report; readonly warnings: readonly string[] } {
  const { files } = body
  const escaped: number[] = []
  const repeated: number[] = []
  const known = new Set<string>()
  const kept: NamedFile[] = []
  for (const [index, file] of files.entries()) {
    const { name, name_base64 = '', path = '', kind } = file
    if (files.length > 1 && kind !== 'resource' && name.length <= NEVER_CUT) {
      // No field holds a NUL. A list of all three as JSON would cost more than everything else that a file is asked.
      const key = name_base64 === '' && path === '' ? name : `${name}\0${name_base64}\0${path}`
      if (known.has(key)) {
        repeated.push(index)
        continue
      }
      known.add(key)
    }
    const isSound = !CONTROL.test(name) && !CONTROL.test(path)
    if (!isSound) escaped.push(index)
    kept.push(isSound ? file : escapedFile(file))
  }
  if (escaped.length + repeated.length === 0) return { body, warnings: [] }
  return {
    body: { ...body, drift_count: body.drift_count - repeated.length, files: kept },
    warnings: [
      ...warningOf(escaped, 'has control characters, which were escaped as \\xNN'),
      ...warningOf(repeated, 'names a file a second time, which was left out and is not counted in drift_count'),
    ],
  }
}

function escapedFile(file: NamedFile): NamedFile {
  const { name, path } = file
  return {
    ...file,
    ...(CONTROL.test(name) && { name: escapeText(name), name_base64: file.name_base64 ?? base64Of(name) }),
    ...(path !== undefined && CONTROL.test(path) && { path: escapeText(path) }),
  }
}

/** As the reporter does it: who escapes doubles the backslash, so that nothing else looks the same. */
function escapeText(text: string): string {
  return text.replace(/[\\\p{Cc}]/gu, (character) => {
    if (character === '\\') return '\\\\'
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
}

function base64Of(name: string): string {
  return Buffer.from(name).toString('base64')
}

function warningOf([first, ...others]: readonly number[], what: string): string[] {
  if (first === undefined) return []
  return [`"files[${first}].name" ${what}${others.length > 0 ? `; so do ${others.length} more` : ''}`]
}
