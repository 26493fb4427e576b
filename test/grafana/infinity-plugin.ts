import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'

// What Grafana's Infinity plugin (3.11, parser "backend") does with a query, as its source says: which request it sends,
// and which frame it makes of the answer. Only what our dashboards use; anything else is refused here, so that they do
// not begin to use what nobody has looked at.

export interface InfinityQuery {
  readonly refId: string
  readonly type: string
  readonly source: string
  readonly parser: string
  readonly format: string
  readonly url: string
  readonly url_options: { readonly method: string; readonly params: readonly { key: string; value: string }[] }
  readonly root_selector: string
  readonly columns: readonly { readonly selector: string; readonly text: string; readonly type: string }[]
}

export interface PluginField {
  readonly name: string
  readonly type: 'string' | 'number' | 'time'
  readonly labels?: Readonly<Record<string, string>>
  readonly values: readonly (string | number | null)[]
}

export interface PluginFrame {
  readonly name: string
  readonly fields: readonly PluginField[]
}

export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** What is chosen at the top of a dashboard. All: `$__all`, with what the variable says that this is. */
export type Chosen = Readonly<Record<string, readonly string[] | string>>

/** What the browser does before it sends a query to Grafana: alert rules and public dashboards leave it out. */
export function replacedInBrowser(query: InfinityQuery, chosen: Chosen, { from, to }: TimeRange): InfinityQuery {
  const builtIn: Chosen = { __from: String(from), __to: String(to) }
  function replace(text: string): string {
    return text.replace(/\$\{(\w+)(?::(\w+))?\}/g, (whole, name: string, format = 'glob') => {
      const value = { ...builtIn, ...chosen }[name]
      if (value === undefined) return whole
      if (typeof value === 'string') return value
      if (value.length === 1) return value[0] ?? ''
      return format === 'csv' ? value.join(',') : `{${value.join(',')}}`
    })
  }
  const params = query.url_options.params.map(({ key, value }) => ({ key, value: replace(value) }))
  return { ...query, url: replace(query.url), url_options: { ...query.url_options, params } }
}

/** What the plugin puts in place of its own words, also for alert rules and public dashboards. */
function withMacros(text: string, { from, to }: TimeRange): string {
  return text
    .replace(/\$\{__(?:from|timeFrom)\}/g, String(from))
    .replace(/\$\{__(?:to|timeTo)\}/g, String(to))
    .trim()
}

/** The plugin's half: request, answer, frame. */
export async function askInfinity(baseUrl: string, query: InfinityQuery, range: TimeRange): Promise<PluginFrame> {
  const { type, source, parser, url_options, root_selector, columns } = query
  if (type !== 'json' || source !== 'url' || parser !== 'backend' || url_options.method !== 'GET') {
    throw new Error(`Nobody has looked at ${JSON.stringify({ type, source, parser, method: url_options.method })}`)
  }
  if (!/^\w*$/.test(root_selector)) throw new Error(`Only a bare key means the same everywhere: ${root_selector}`)
  for (const { selector } of columns) if (!/^\w+$/.test(selector)) throw new Error(`Not a bare key: ${selector}`)

  const params = url_options.params
    .map(({ key, value }) => [key, withMacros(value, range)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${goQueryEscape(key)}=${goQueryEscape(value)}`)
  const body = await get(`${baseUrl}${withMacros(query.url, range)}${params.length > 0 ? `?${params.join('&')}` : ''}`)

  let document: unknown
  try {
    document = JSON.parse(body)
  } catch {
    throw new Error(`unable to parse response body as JSON: ${body.slice(0, 80)}`)
  }
  const rows = rowsIn(root_selector === '' ? document : valueAt(document, root_selector))
  const frame = frameOf(query, rows)
  return query.format === 'timeseries' ? longToWide(frame) : frame
}

/** As Go's url.QueryEscape: more is escaped than browsers do. */
function goQueryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

function get(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = {
    'user-agent': 'Go-http-client/1.1',
    // Prefers text/plain: a server that negotiates would not answer with JSON.
    accept: 'application/json;q=0.9,text/plain',
    'accept-encoding': 'gzip',
  }
  request(url, { headers, timeout: 20_000 }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const status = response.statusCode ?? 0
      if (status >= 400) return reject(new Error(`unsuccessful HTTP response code\nstatus code : ${status}`))
      const encoding = response.headers['content-encoding'] ?? ''
      if (encoding !== '' && encoding.toLowerCase() !== 'gzip') return reject(new Error(`cannot decode ${encoding}`))
      const body = Buffer.concat(chunks)
      if (body.length === 0) return reject(new Error('empty response body received for the URL'))
      resolve((encoding === '' ? body : gunzipSync(body)).toString('utf8'))
    })
  })
    .on('error', reject)
    .end()
  return promise
}

function valueAt(document: unknown, key: string): unknown {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, key)) {
    throw new Error(`no results found for ${key}`)
  }
  return Reflect.get(document, key)
}

type Row = Readonly<Record<string, unknown>>

/** A list is a row for each of its items, and an object is one row. */
function rowsIn(value: unknown): readonly Row[] {
  const rows = Array.isArray(value) ? value : [value]
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new Error('rows are objects')
  }
  return rows as readonly Row[]
}

/** Without rows there are no fields either, whatever columns were asked for. Fields are in the order of their names. */
function frameOf({ refId, columns }: InfinityQuery, rows: readonly Row[]): PluginFrame {
  if (rows.length === 0) return { name: refId, fields: [] }
  const fields = columns.map(({ selector, text, type }): PluginField => {
    const cells = rows.map((row) => row[selector] ?? null)
    switch (type) {
      case 'string':
        return { name: text, type: 'string', values: cells.map(asText) }
      case 'number':
        return { name: text, type: 'number', values: cells.map(asNumber) }
      case 'timestamp':
        return { name: text, type: 'time', values: cells.map(asTime) }
      default:
        throw new Error(`Nobody has looked at columns of type ${type}`)
    }
  })
  return { name: refId, fields: fields.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

function asText(cell: unknown): string | null {
  return typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : null
}

function asNumber(cell: unknown): number | null {
  if (typeof cell === 'number') return cell
  return typeof cell === 'string' && cell !== '' && Number.isFinite(Number(cell)) ? Number(cell) : null
}

/** RFC 3339 only: of the other layouts that Go tries none is one of ours. */
function asTime(cell: unknown): number | null {
  return typeof cell === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(cell)
    ? Date.parse(cell)
    : null
}

/**
 * Texts become labels and each combination of them a series, over the times of all. Times that go back stop the
 * conversion, without a word.
 */
function longToWide(frame: PluginFrame): PluginFrame {
  const time = frame.fields.find(({ type }) => type === 'time')
  const factors = frame.fields.filter(({ type }) => type === 'string')
  const numbers = frame.fields.filter(({ type }) => type === 'number')
  if (time === undefined || factors.length === 0 || numbers.length === 0) return frame
  const instants = time.values as readonly (number | null)[]
  if (instants.some((at, row) => at === null || at < (instants[row - 1] ?? at))) return frame

  const times = [...new Set(instants)] as number[]
  const place = new Map(times.map((at, index) => [at, index]))
  const series = new Map<string, { name: string; labels: Record<string, string>; values: (number | null)[] }>()
  for (const [row, at] of instants.entries()) {
    const labels = Object.fromEntries(factors.map(({ name, values }) => [name, String(values[row] ?? '')]))
    for (const { name, values } of numbers) {
      const key = JSON.stringify([name, labels])
      const one = series.get(key) ?? { name, labels, values: times.map(() => null) }
      series.set(key, one)
      one.values[place.get(at ?? 0) ?? 0] = values[row] as number | null
    }
  }
  const sorted = [...series].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  return {
    name: frame.name,
    fields: [
      { name: time.name, type: 'time', values: times },
      ...sorted.map(({ name, labels, values }): PluginField => ({ name, type: 'number', labels, values })),
    ],
  }
}

/** A variable's choices: without a row the plugin has no field to take them from, and says so. */
export function choicesIn({ fields }: PluginFrame): string[] {
  const values = fields.find(({ name }) => name === '__value')?.values
  if (values === undefined) throw new Error('at least one field expected for variable')
  return values.map(String)
}
