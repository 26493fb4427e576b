import Type, { type Static, type TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import { describeError } from '../contract/field-problem.ts'
import { CAUSES } from '../contract/report.ts'
import { parseDurationMs, parseMoment } from '../contract/time.ts'
import { Fault, type FieldProblem } from '../domain/fault.ts'
import { SYNC_STATUSES } from '../domain/report.ts'

/** A decoded query string. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Reads the parameters that a schema names; empty ones count as left out. What it does not name is ignored, because
 * proxies and dashboards add parameters of their own (`_=1713695400`, `orgId=1`). Only a dashboard's variable that was
 * not replaced is refused wherever it stands.
 *
 * @throws Fault `invalid_filter`, with one problem for each bad parameter
 */
export function createQueryReader<Schema extends TObject>(
  schema: Schema | undefined,
): (query: Query) => Static<Schema> {
  const known = schema ?? Type.Object({})
  const validator = Compile(known)

  return (query) => {
    const problems: FieldProblem[] = Object.entries(query)
      .filter(([, given]) => [given ?? []].flat().some((text) => VARIABLE.test(text)))
      .map(([name]) => ({ field: name.slice(0, 80).toWellFormed(), pointer: '', detail: NOT_REPLACED }))

    const values: Record<string, string | number> = {}
    for (const [name, property] of Object.entries(known.properties)) {
      const text = [query[name] ?? []].flat().join(',')
      if (text === '' || VARIABLE.test(text)) continue
      values[name] = isWholeNumber(property) && /^\d{1,15}$/.test(text) ? Number(text) : text
    }
    if (!validator.Check(values)) {
      for (const error of validator.Errors(values)) {
        problems.push(...describeError(error, known, values, '').map((problem) => ({ ...problem, pointer: '' })))
      }
    }
    const [first] = problems
    if (first !== undefined) {
      throw new Fault('invalid_filter', `The parameter "${first.field}" ${first.detail}`, { problems })
    }
    return values as Static<Schema> // it fits the schema
  }
}

// Grafana's three ways to write one: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
const VARIABLE = /\$\{|\$[a-z_]|\[\[\w/i

const NOT_REPLACED =
  'still holds a dashboard variable that was not replaced (alert rules and public dashboards do not replace them)'

function isWholeNumber(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'integer'
}

// What routes ask for, once for all of them.

export const SELECTION = Type.Object({
  repo: Type.Optional(
    Type.String({ description: 'Only these repositories: one, or several with commas. `*` is all.' }),
  ),
  server: Type.Optional(Type.String({ description: 'Only these servers: one, or several with commas. `*` is all.' })),
  status: Type.Optional(
    Type.Refine(
      Type.String({ description: `Only targets that show one of these: ${SYNC_STATUSES.join(', ')}, with commas.` }),
      (value) => wordsIn(value).every((one) => SYNC_STATUSES.some((status) => status === one)),
      () => `must be among ${SYNC_STATUSES.join(', ')}`,
    ),
  ),
})

/** For what is of now or of a moment: of a span a cause is not known throughout. */
export const BY_CAUSE = Type.Object({
  cause: Type.Optional(
    Type.Refine(
      Type.String({
        description: `Only targets that drifted for one of these causes: ${CAUSES.join(', ')}, with commas.`,
      }),
      (value) => wordsIn(value).every((one) => CAUSES.some((cause) => cause === one)),
      () => `must be among ${CAUSES.join(', ')}`,
    ),
  ),
  // One name and no list: nobody can say what is in the name of a person.
  modified_by: Type.Optional(
    Type.String({ maxLength: 1_024, description: 'Only targets of which this person changed a drifted file.' }),
  ),
})

function wordsIn(text: string): string[] {
  const values = text.replace(/^\{(.*)\}$/, '$1').split(',')
  return values.map((value) => value.trim()).filter((value) => value !== '' && value !== '*')
}

function moment(description: string) {
  return Type.Optional(
    Type.Refine(
      Type.String({
        maxLength: 40,
        description: `${description} RFC 3339 with a zone, or milliseconds or seconds since 1970.`,
      }),
      (value) => parseMoment(value) !== null,
      () =>
        'must be a time that exists, with a zone, such as 2026-04-21T10:30:00Z, or milliseconds or seconds since 1970',
    ),
  )
}

export const AT = Type.Object({ at: moment('What was known at this moment instead of now.') })

export const SPAN = Type.Object({
  from: moment('What lasted into this moment or began after it.'),
  to: moment('What had begun by this moment. Now when it is left out.'),
})

export const MAX_POINTS = 300

export const STEP = Type.Object({
  step: Type.Optional(
    Type.Refine(
      Type.String({ description: 'How far apart the times are: `30s`, `5m`, `1h`; a bare number is seconds.' }),
      (value) => (parseDurationMs(value) ?? 0) > 0,
      () => 'must be a number of seconds, or one with ms, s, m, h, d or w',
    ),
  ),
  max_points: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, default: MAX_POINTS, description: 'No more times than this.' }),
  ),
})

export function momentIn(text: string | undefined): Date | null {
  return text === undefined ? null : parseMoment(text)
}
