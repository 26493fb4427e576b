import { createRequire } from 'node:module'
import { mock } from 'node:test'
import type { DataFrame, Field, FieldConfigSource, InterpolateFunction } from '@grafana/data'
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { PluginFrame } from './infinity-plugin.ts'

// As CommonJS: its ES modules name exports of moment-timezone that Node does not find.
const grafana = createRequire(import.meta.url)('@grafana/data') as typeof import('@grafana/data')

// It looks there for the page that it is part of.
Reflect.set(globalThis, 'window', {})

grafana.standardTransformersRegistry.setInit(() =>
  // The one that our dashboards use: some have an id twice.
  [grafana.standardTransformers.organizeFieldsTransformer].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation: async () => transformation,
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })),
)
grafana.locationUtil.initialize({
  config: { appSubUrl: '' } as never,
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({ from: 'now-24h', to: 'now' }),
})

/** The settings of fields that our dashboards use, as `@grafana/ui` tells Grafana of them. */
const FIELD_SETTINGS = new grafana.FieldConfigOptionsRegistry(() =>
  Object.entries({
    unit: grafana.unitOverrideProcessor,
    decimals: grafana.numberOverrideProcessor,
    min: grafana.numberOverrideProcessor,
    max: grafana.numberOverrideProcessor,
    displayName: grafana.displayNameOverrideProcessor,
    noValue: grafana.stringOverrideProcessor,
    mappings: grafana.valueMappingsOverrideProcessor,
    thresholds: grafana.thresholdsOverrideProcessor,
    links: grafana.dataLinksOverrideProcessor,
    color: grafana.identityOverrideProcessor,
    'custom.width': grafana.identityOverrideProcessor,
    'custom.cellOptions': grafana.identityOverrideProcessor,
  }).map(([id, process]) => ({
    id,
    path: id.replace(/^custom\./, ''),
    isCustom: id.startsWith('custom.'),
    name: id,
    override: () => null as never,
    editor: () => null as never,
    process: process as never,
    settings: id === 'displayName' ? { expandTemplateVars: true } : {},
    shouldApply: () => true,
  })),
)

const THEME = grafana.createTheme({ colors: { mode: 'dark' } })

/** What the colours of our dashboards say. */
const COLORS = new Map(
  Object.entries({ green: 'semi-dark-green', red: 'semi-dark-red', orange: 'semi-dark-orange' }).map(([word, name]) => [
    THEME.visualization.getColorByName(name),
    word,
  ]),
)

/** What a panel shows: text, and what carries it. */
export type Shown =
  | { readonly type: 'nothing'; readonly text: string }
  | { readonly type: 'tiles'; readonly tiles: readonly Tile[] }
  | { readonly type: 'table'; readonly columns: readonly string[]; readonly rows: readonly Cell[][] }
  | { readonly type: 'series'; readonly series: readonly Series[] }

export interface Tile {
  readonly title: string
  readonly text: string
  readonly color: string | null
}

export interface Cell {
  readonly text: string
  readonly color: string | null
  readonly links: readonly (string | undefined)[]
}

export interface Series {
  readonly name: string
  /** Where it becomes another: times as they are, and the text. */
  readonly changes: readonly { readonly at: string; readonly text: string; readonly color: string | null }[]
}

/** Shows a frame as the panel says. `values`: of the variables of the dashboard; `now`: of whoever looks. */
export async function show(
  panel: Panel,
  frame: PluginFrame,
  { values, now }: { readonly values: Readonly<Record<string, string>>; readonly now: number },
): Promise<Shown> {
  // "2 minutes ago" is said by the clock of the browser.
  mock.timers.enable({ apis: ['Date'], now })
  try {
    return await shown(panel, frame, replacerOf(values))
  } finally {
    mock.timers.reset()
  }
}

async function shown(panel: Panel, frame: PluginFrame, replaceVariables: InterpolateFunction): Promise<Shown> {
  const frames = await transformed(panel, [dataFrame(frame)])
  const data = grafana.applyFieldOverrides({
    data: frames,
    fieldConfig: panel.fieldConfig as unknown as FieldConfigSource,
    fieldConfigRegistry: FIELD_SETTINGS,
    replaceVariables,
    theme: THEME,
    timeZone: 'utc',
  })
  if (panel.type === 'stat') return { type: 'tiles', tiles: tilesOf(panel, data, replaceVariables) }
  // Only a stat makes a tile of nothing; the other panels show the text instead of themselves.
  if (data.every(({ length }) => length === 0)) {
    return { type: 'nothing', text: panel.fieldConfig?.defaults.noValue ?? 'No data' }
  }
  const [only, ...others] = data
  if (only === undefined || others.length > 0) throw new Error('More than one frame: which is shown is chosen by hand')
  return panel.type === 'table' ? tableOf(only, panel.options.sortBy?.[0]) : { type: 'series', series: seriesOf(only) }
}

function dataFrame({ name, fields }: PluginFrame): DataFrame {
  return grafana.toDataFrame({
    name,
    refId: name,
    fields: fields.map(({ name, type, labels, values }) => ({
      name,
      type: type as never,
      ...(labels === undefined ? {} : { labels }),
      values: [...values],
      config: {},
    })),
  })
}

function transformed(panel: Panel, frames: DataFrame[]): Promise<DataFrame[]> {
  const { promise, resolve, reject } = Promise.withResolvers<DataFrame[]>()
  grafana.transformDataFrame((panel.transformations ?? []) as never, frames).subscribe({ next: resolve, error: reject })
  return promise
}

function tilesOf(panel: Panel, data: DataFrame[], replaceVariables: InterpolateFunction): Tile[] {
  return grafana
    .getFieldDisplayValues({
      fieldConfig: panel.fieldConfig as unknown as FieldConfigSource,
      reduceOptions: panel.options.reduceOptions,
      replaceVariables,
      theme: THEME,
      data,
      timeZone: 'utc',
    })
    .map(({ display }) => ({
      title: display.title ?? '',
      text: grafana.formattedValueToString(display),
      color: wordFor(display.color),
    }))
}

/** A table sorts by itself when it is told a column; otherwise the order of the rows stays. */
function tableOf(frame: DataFrame, sortBy?: { readonly displayName: string; readonly desc: boolean }): Shown {
  const sorted = frame.fields.find(({ name }) => name === sortBy?.displayName)?.values
  const order = Array.from({ length: frame.length }, (_, row) => row).toSorted(
    (a, b) => ((sorted?.[b] ?? 0) - (sorted?.[a] ?? 0)) * (sortBy?.desc === false ? -1 : 1),
  )
  const rows = order.map((row) =>
    frame.fields.map((field): Cell => {
      const shown = displayed(field, field.values[row])
      const links = field.getLinks?.({ valueRowIndex: row }) ?? []
      return { ...shown, links: links.map(({ href }) => href) }
    }),
  )
  return { type: 'table', columns: frame.fields.map((field) => grafana.getFieldDisplayName(field, frame)), rows }
}

function seriesOf(frame: DataFrame): Series[] {
  const [time, ...fields] = frame.fields
  if (time?.type !== 'time') throw new Error(`The first field is ${time?.type}, and not the time`)
  return fields.map((field) => {
    const changes: { at: string; text: string; color: string | null }[] = []
    for (const [row, at] of time.values.entries()) {
      const { text, color } =
        field.values[row] === null ? { text: '', color: null } : displayed(field, field.values[row])
      if (changes.at(-1)?.text !== text) changes.push({ at: new Date(at).toISOString(), text, color })
    }
    return { name: grafana.getFieldDisplayName(field, frame), changes }
  })
}

function displayed(field: Field, value: unknown) {
  const shown = field.display?.(value)
  if (shown === undefined) throw new Error(`${field.name} has no way to be shown`)
  return { text: grafana.formattedValueToString(shown), color: wordFor(shown.color) }
}

/** `${name}`, `${__field.labels.x}`, `${__data.fields.x}` and `${__value.raw}`, as Grafana writes them into texts and links. */
function replacerOf(values: Readonly<Record<string, string>>): InterpolateFunction {
  return (text, scoped, defaultFormat) =>
    (text ?? '').replace(/\$\{([^}:]+)(?::(\w+))?\}/g, (whole, path: string, format?: string) => {
      const context = scoped?.__dataContext?.value
      const found = textOf(path, context, values)
      if (found === undefined) return whole
      if (format === 'percentencode') return encodeURIComponent(found)
      return defaultFormat === 'uriencode' && format !== 'raw' ? encodeURI(found) : found
    })
}

/** Null: it says nothing. */
function wordFor(color: string | undefined): string | null {
  return COLORS.get(color ?? '') ?? null
}

function textOf(
  path: string,
  // biome-ignore lint/suspicious/noExplicitAny: Grafana does not say what is in it
  context: any,
  values: Readonly<Record<string, string>>,
): string | undefined {
  const [, label] = /^__field\.labels\.(.*)$/.exec(path) ?? []
  if (label !== undefined) return context?.field.labels?.[label]
  const [, name] = /^__data\.fields\.(.*)$/.exec(path) ?? []
  if (name !== undefined) {
    const field = context?.frame.fields.find((one: Field) => one.name === name)
    return field === undefined ? undefined : String(field.values[context.rowIndex ?? context.value?.rowIndex] ?? '')
  }
  if (path === '__value.raw') return String(context?.field.values[context.rowIndex] ?? '')
  return values[path]
}

/** The variables of a dashboard as it opens. */
export function openedWith({ templating }: Dashboard): Record<string, string> {
  return Object.fromEntries(
    (templating.list ?? []).map(({ name, current, allValue }) => {
      const value = current?.value
      return [name, value === '$__all' ? (allValue ?? '') : String(value ?? '')]
    }),
  )
}
