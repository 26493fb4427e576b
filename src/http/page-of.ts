import Type from 'typebox'
import { nullable } from '../contract/schema-parts.ts'

// What lists that can grow without end ask for, and answer with.

export const PAGE_SIZE = 100

export const PAGE = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000,
      default: PAGE_SIZE,
      description: 'No more items than this in one answer.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 2_048, description: 'Only what comes after the page that gave it as `next_cursor`.' }),
  ),
})

export const NEXT_CURSOR = nullable(Type.String(), 'Null when there are no more.')
