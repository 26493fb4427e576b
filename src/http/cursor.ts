import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Fault } from '../domain/fault.ts'

/** Places in a list as they travel: to whoever pages they mean nothing, and what comes back is checked. */
export function createCursors<Schema extends TSchema>(schema: Schema) {
  const validator = Compile(schema)

  return {
    write: (place: Static<Schema>): string => Buffer.from(JSON.stringify(place)).toString('base64url'),

    /** @throws Fault `invalid_filter` */
    read(text: string): Static<Schema> {
      const place = decoded(text)
      if (validator.Check(place)) return place
      const detail = 'must be the next_cursor of an earlier answer'
      throw new Fault('invalid_filter', `The parameter "cursor" ${detail}`, {
        problems: [{ field: 'cursor', pointer: '', detail }],
      })
    },
  }
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}
