// Read by YAML as something else than text: numbers, dates, booleans, null.
const NOT_TEXT = /^(?:[-+.]?\d.*|~|null|true|false|yes|no|on|off|y|n)$/i
const PLAIN = /^[A-Za-z0-9_./$][A-Za-z0-9_./@$=-]*(?:[: ][A-Za-z0-9_./@$=-]+|:\/\/[A-Za-z0-9_./@$=-]+)*$/

/** A text as YAML reads it back, in quotes only where it needs them. JSON's quotes are YAML's. */
export function yamlText(text: string): string {
  return PLAIN.test(text) && !NOT_TEXT.test(text) && !/: | #/.test(text) ? text : JSON.stringify(text)
}

/** Lines of `name: value`. */
export function yamlMap(pairs: readonly (readonly [string, string])[], indent: number): string[] {
  return pairs.map(([name, value]) => `${' '.repeat(indent)}${name}: ${yamlText(value)}`)
}
