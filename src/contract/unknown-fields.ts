import type { TSchema } from 'typebox'

// Enough to notice a typo or a newer reporter by; a hostile body does not get to order a novel.
const MAX_NAMED = 20
const MAX_NAME_LENGTH = 80

/**
 * Splits a value that fits the schema into what the schema names and the paths of what it does not.
 * What is known comes back in the schema's order, so that the same content always has the same JSON text.
 */
export function unknownFieldsOf(schema: TSchema, value: unknown): { known: unknown; unknown: string[] } {
  const unknown: string[] = []

  function keep(part: unknown, shape: unknown, path: string): unknown {
    if (Array.isArray(part)) {
      const items = propertyOf(shape, 'items')
      return items === undefined ? part : part.map((item, index) => keep(item, items, `${path}[${index}]`))
    }
    const properties = propertyOf(shape, 'properties')
    if (typeof part !== 'object' || part === null || typeof properties !== 'object' || properties === null) return part

    const pathOf = (name: string) => (path === '' ? name : `${path}.${name}`)
    for (const name of Object.keys(part)) {
      if (unknown.length === MAX_NAMED) break
      if (!Object.hasOwn(properties, name)) unknown.push(shorten(pathOf(name)))
    }
    return Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => Object.hasOwn(part, name))
        .map(([name, inner]) => [name, keep(Reflect.get(part, name), inner, pathOf(name))]),
    )
  }

  return { known: keep(value, schema, ''), unknown }
}

/**
 * Makes a check whether a value that fits the schema has nothing but what the schema names, in the schema's order. Such
 * a value comes back from `unknownFieldsOf` as it is, and nearly every report is one.
 */
export function createIsPlain(schema: TSchema): (value: unknown) => boolean {
  const items = propertyOf(schema, 'items')
  if (items !== undefined) {
    const isPlain = createIsPlain(items as TSchema) // what stands in a schema's items is a schema
    return (value) => Array.isArray(value) && value.every(isPlain)
  }
  const properties = propertyOf(schema, 'properties')
  if (properties === undefined) return () => true

  const fields = new Map(
    Object.entries(properties as Record<string, TSchema>).map(([name, inner], rank) => {
      const hasFields = propertyOf(inner, 'items') !== undefined || propertyOf(inner, 'properties') !== undefined
      return [name, { rank, isPlain: hasFields ? createIsPlain(inner) : null }]
    }),
  )
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    let last = -1
    for (const name in value) {
      const field = fields.get(name)
      if (field === undefined || field.rank < last) return false
      if (field.isPlain !== null && !field.isPlain(Reflect.get(value, name))) return false
      last = field.rank
    }
    return true
  }
}

function shorten(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…`.toWellFormed() : name.toWellFormed()
}

// Own properties only: a field called "constructor" is no field of a report.
function propertyOf(shape: unknown, name: string): unknown {
  return typeof shape === 'object' && shape !== null && Object.hasOwn(shape, name)
    ? Reflect.get(shape, name)
    : undefined
}
