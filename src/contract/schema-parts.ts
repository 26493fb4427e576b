import Type, { type TSchema } from 'typebox'
import { SYNC_STATUSES, type SyncStatus } from '../domain/report.ts'

// What the schemas of answers are made of. A schema with a `title` goes by that name in `/openapi.json`.

/** What a schema describes, as nobody may change it. */
export type ReadOnly<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadOnly<Value[Key]> }
    : Value

/** @param description What stands there; that of the schema when it is left out. */
export function nullable<Schema extends TSchema>(schema: Schema, description = descriptionOf(schema)) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description })
}

function descriptionOf(schema: TSchema): string | undefined {
  return 'description' in schema ? String(schema.description) : undefined
}

export function time(description: string) {
  return Type.String({ description: `${description} RFC 3339 in UTC.` })
}

export function count(description: string) {
  return Type.Integer({ minimum: 0, description })
}

/** For panels and alerts, which count and add up but do not know true from false. */
export function flag(description: string) {
  return Type.Integer({ minimum: 0, maximum: 1, description: `1 when ${description}, otherwise 0.` })
}

export const SYNC_STATUS = Type.Enum([...SYNC_STATUSES], {
  description: 'What is known: it is as in Git, it is not, or that is not known. OUT_OF_SYNC only ever means drift.',
})

export const STATUS_CODE = Type.Integer({
  minimum: 0,
  maximum: 2,
  description: '0 SYNCED, 1 OUT_OF_SYNC, 2 UNKNOWN.',
})

export const STATUS_CODES = { SYNCED: 0, OUT_OF_SYNC: 1, UNKNOWN: 2 } satisfies Record<SyncStatus, number>
