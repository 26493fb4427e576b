import type { TSchema } from 'typebox'

/** Splits a value that fits the schema into what the schema names and the paths of what it does not. */
export function unknownFieldsOf(schema: TSchema, value: unknown): { known: unknown; unknown: string[] } {
  const unknown: string[] = []

  function keep(part: unknown, shape: unknown, path: string): unknown {
    if (Array.isArray(part)) {
      const items = propertyOf(shape, 'items')
      return items === undefined ? part : part.map((item, index) => keep(item, items, `${path}[${index}]`))
    }
    const properties = propertyOf(shape, 'properties')
    if (typeof part !== 'object' || part === null || properties === undefined) return part

    const entries = Object.entries(part).filter(([name]) => {
      const isKnown = propertyOf(properties, name) !== undefined
      if (!isKnown) unknown.push(path === '' ? name : `${path}.${name}`)
      return isKnown
    })
    return Object.fromEntries(
      entries.map(([name, inner]) => [
        name,
        keep(inner, propertyOf(properties, name), path === '' ? name : `${path}.${name}`),
      ]),
    )
  }

  return { known: keep(value, schema, ''), unknown }
}

// Own properties only: a field called "constructor" is no field of a report.
function propertyOf(shape: unknown, name: string): unknown {
  return typeof shape === 'object' && shape !== null && Object.hasOwn(shape, name)
    ? Reflect.get(shape, name)
    : undefined
}
