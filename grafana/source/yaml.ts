type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value }

/**
 * Writes what our provisioning files are made of. Every text is quoted as in JSON, which YAML understands: nothing in it
 * can be taken for a date, a number or a reference. A key that begins with `#` is a comment above the next one.
 */
export function yamlOf(value: Value): string {
  return `${linesOf(value).join('\n')}\n`
}

function linesOf(value: Value): string[] {
  if (isScalar(value)) return [JSON.stringify(value)]
  if (isList(value)) {
    return value.flatMap((item) => linesOf(item).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`))
  }
  return Object.entries(value).flatMap(([key, item]) => {
    if (key.startsWith('#')) return [`# ${String(item)}`]
    if (isScalar(item)) return [`${key}: ${JSON.stringify(item)}`]
    if (isEmpty(item)) return [`${key}: ${isList(item) ? '[]' : '{}'}`]
    return [`${key}:`, ...linesOf(item).map((line) => `  ${line}`)]
  })
}

function isScalar(value: Value): value is string | number | boolean {
  return typeof value !== 'object'
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function isEmpty(value: readonly Value[] | { readonly [key: string]: Value }): boolean {
  return Object.keys(value).length === 0
}
