/** How one of Prometheus' two text formats writes what differs between them. */
export interface ExpositionFormat {
  readonly contentType: string
  /** What stands after HELP and TYPE: OpenMetrics names a counter without `_total` there. */
  readonly familyName: (name: string, type: MetricType) => string
  readonly end: string
}

export type MetricType = 'counter' | 'gauge' | 'histogram'

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const PROMETHEUS_TEXT: ExpositionFormat = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  familyName: (name) => name,
  end: '',
}

/** https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export const OPENMETRICS: ExpositionFormat = {
  contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  familyName: (name, type) => (type === 'counter' ? name.replace(/_total$/, '') : name),
  end: '# EOF\n',
}

/** The format that a reader asks for by Accept. OpenMetrics only for those who name it: people ask with a browser or curl. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? '').toLowerCase().split(',').map(parseRange)
  const openMetrics = ranges.filter(
    ({ type, version }) => type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'),
  )
  const text = ranges.filter(({ type }) => type === 'text/plain' || type === 'text/*' || type === '*/*')
  const wish = highest(openMetrics)
  return wish > 0 && wish >= highest(text) ? OPENMETRICS : PROMETHEUS_TEXT
}

interface Range {
  readonly type: string
  readonly version: string | undefined
  readonly quality: number
}

function parseRange(range: string): Range {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
  const find = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  const quality = Number(find('q') ?? 1)
  return { type, version: find('version')?.replaceAll('"', ''), quality: Number.isNaN(quality) ? 0 : quality }
}

function highest(ranges: readonly Range[]): number {
  return ranges.reduce((best, { quality }) => Math.max(best, quality), 0)
}

/** What can be written into an exposition: all lines of one name together, as the formats ask. */
export interface Metric {
  write(format: ExpositionFormat): string
}

export interface Family {
  readonly name: string
  readonly type: MetricType
  /** One line, without quotes or backslashes. */
  readonly help: string
}

export function headOf({ name, type, help }: Family, format: ExpositionFormat): string {
  const family = format.familyName(name, type)
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric whose values are known when it is read. */
export function writeSamples(family: Family, samples: readonly Sample[], format: ExpositionFormat): string {
  const lines = samples.map(({ labels = {}, value }) => `${family.name}${labelsOf(labels)} ${formatNumber(value)}\n`)
  return headOf(family, format) + lines.join('')
}

/** `{a="1",b="2"}`; nothing without labels. */
export function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

// Names of targets are harmless, but that is decided elsewhere: one line break in a label would let whoever reports
// write series of their own. Half a surrogate pair cannot be written in UTF-8.
export function escapeLabel(value: string): string {
  return value.toWellFormed().replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}

/** As the formats write numbers: 1e21 and -0 are fine, infinity has a name of its own. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
