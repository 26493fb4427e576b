/** The words that a POSIX shell makes of a text, as Ansible splits its ssh arguments. Null: a quote has no end. */
export function shellWords(text: string): string[] | null {
  const words: string[] = []
  let rest = text.trimStart()
  while (rest !== '') {
    const word = /^(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/.exec(rest)?.[0]
    if (word === undefined) return null
    words.push(withoutQuotes(word))
    const after = rest.slice(word.length)
    if (/^\S/.test(after)) return null
    rest = after.trimStart()
  }
  return words
}

function withoutQuotes(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
    (_, single?: string, double?: string, escaped?: string) =>
      // Between double quotes a backslash stands for itself, but before these two.
      single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? '',
  )
}
