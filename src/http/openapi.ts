import type { TObject, TSchema } from 'typebox'
import type { Operation } from './operation.ts'
import { PROBLEM, PROBLEM_TYPE, STATUS, TITLE } from './problem.ts'

const DESCRIPTION = `Which servers differ from Git, in which files, how, since when, and how fresh that knowledge is.

Times are RFC 3339. \`Accept\` is ignored. Errors are problem documents (RFC 9457). Parameters that are not listed are
ignored; a dashboard's variable that was not replaced (\`\${server}\`, \`$server\`, \`[[server]]\`) is refused in every parameter.`

/** The description of the API, put together from those of its routes. */
export function openApi(operations: readonly Operation[], version: string) {
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const path = paths[operation.path] ?? {}
    paths[operation.path] = path
    path[operation.method.toLowerCase()] = described(operation, schemas)
  }
  return {
    openapi: '3.1.1',
    info: { title: 'gitops-status', version, description: DESCRIPTION },
    tags: TAGS,
    paths,
    components: { schemas, securitySchemes: { token: TOKEN } },
  }
}

const TOKEN = {
  type: 'http',
  scheme: 'bearer',
  description: 'Made by `gitops-status-server token create`. Until there is one, everything is open to everybody.',
}

const TAGS = [
  { name: 'reports', description: 'What reporters send.' },
  { name: 'rows', description: 'For dashboards: flat rows, one type for each key, always 200, never paged.' },
  { name: 'badges', description: 'For READMEs.' },
  { name: 'events', description: 'What changes, as it happens.' },
  { name: 'targets', description: 'One repository on one server.' },
  { name: 'history', description: 'What was, page by page.' },
  { name: 'service', description: 'The server itself.' },
]

type Schemas = Record<string, unknown>

function described(operation: Operation, schemas: Schemas) {
  const { id, tag, summary, description, params, query, body, answer } = operation
  const parameters = [...parametersIn('path', params, schemas), ...parametersIn('query', query, schemas)]
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: named(body, schemas) } } },
    }),
    security: operation.right === 'open' ? [] : [{ token: [] }],
    responses: {
      [answer.status]: {
        description: answer.description,
        ...(Object.keys(answer.content).length > 0 && {
          content: Object.fromEntries(
            Object.entries(answer.content).map(([type, schema]) => [type, { schema: named(schema, schemas) }]),
          ),
        }),
      },
      ...problemsOf(operation, schemas),
    },
  }
}

function parametersIn(place: 'path' | 'query', schema: TObject | undefined, schemas: Schemas) {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = plain(property, schemas)
    return { name, in: place, required: schema?.required?.includes(name) ?? false, description, schema: rest }
  })
}

/** By status, because several faults may share one. */
function problemsOf({ query, right, faults = [] }: Operation, schemas: Schemas) {
  const ofQuery = query === undefined ? [] : (['invalid_filter'] as const)
  const ofRight = right === 'open' ? [] : (['unauthorized', 'forbidden'] as const)
  const codes = new Set([...ofQuery, ...ofRight, ...faults])
  const titles = new Map<number, string[]>()
  for (const code of codes) titles.set(STATUS[code], [...(titles.get(STATUS[code]) ?? []), TITLE[code]])
  return Object.fromEntries(
    [...titles].map(([status, all]) => [
      status,
      { description: `${all.join('; ')}.`, content: { [PROBLEM_TYPE]: { schema: named(PROBLEM, schemas) } } },
    ]),
  )
}

/** A schema that has a title stands once among the components, and everybody refers to it. */
function named(schema: TSchema, schemas: Schemas): unknown {
  const { title } = plainly(schema)
  if (typeof title !== 'string') return plain(schema, schemas)
  if (!(title in schemas)) {
    schemas[title] = null // a place in the order, before those inside of it
    schemas[title] = plain(schema, schemas)
  }
  return { $ref: `#/components/schemas/${title}` }
}

/** As JSON: without what only the validator needs, which is not enumerable. */
function plain(schema: TSchema, schemas: Schemas): Record<string, unknown> {
  return Object.fromEntries(Object.entries(plainly(schema)).map(([key, value]) => [key, inside(value, schemas)]))
}

function inside(value: unknown, schemas: Schemas): unknown {
  if (Array.isArray(value)) return value.map((one) => inside(one, schemas))
  return typeof value === 'object' && value !== null ? named(value, schemas) : value
}

function plainly(schema: TSchema): Record<string, unknown> {
  return schema as Record<string, unknown>
}
