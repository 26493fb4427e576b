import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import type { GridPos } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatPanelBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelinePanelBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TablePanelBuilder } from '@grafana/grafana-foundation-sdk/table'
import type { Column } from './columns.ts'
import { DATA_SOURCE, type RowsQuery, SELECTED, SPAN, target } from './infinity-query.ts'
import { byThresholds, noValue as noValueLook, STATUS_BY_CODE } from './looks.ts'

export interface Frame {
  readonly id: number
  readonly title: string
  readonly description: string
  readonly gridPos: GridPos
  /** What is shown when there are no rows. */
  readonly noValue: string
}

export function table(
  { id, title, description, gridPos, noValue }: Frame,
  {
    columns,
    sortBy = null,
    ...query
  }: Omit<RowsQuery, 'columns' | 'format'> & {
    readonly columns: readonly Column[]
    /** The column with the highest on top. Otherwise the order of the server, which is the worst first. */
    readonly sortBy?: Column | null
  },
) {
  const panel = new TablePanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .gridPos(gridPos)
    .datasource(DATA_SOURCE)
    .noValue(noValue)
    .filterable(true)
    .withTarget(target({ ...query, columns }))
    // The plugin gives fields in the order of the alphabet.
    .withTransformation({ id: 'organize', options: inThisOrder(columns.map((column) => column.title)) })
  // Otherwise a cell that is null says what the table says when there are no rows.
  for (const column of columns) panel.overrideByName(column.title, [noValueLook('–'), ...column.looks])
  if (sortBy !== null) panel.sortBy([new TableSortByFieldStateBuilder().displayName(sortBy.title).desc(true)])
  return panel
}

/** Big words or numbers. */
export function stat({ id, title, description, gridPos, noValue }: Frame, query: RowsQuery) {
  return new StatPanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .gridPos(gridPos)
    .datasource(DATA_SOURCE)
    .noValue(noValue)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .colorScheme(byThresholds())
    .orientation(VizOrientation.Auto)
    .withTarget(target(query))
}

/** A tile for each row. */
export function eachRow(field: string): ReduceDataOptionsBuilder {
  // More tiles than this cannot be read.
  return new ReduceDataOptionsBuilder().values(true).limit(25).calcs([]).fields(`/^${field}$/`)
}

/** A tile for each field, of all rows together. Fields of time need their name: by default there are numbers only. */
export function allRows(calculation: 'sum' | 'max' | 'min', field: string | null = null): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder()
    .values(false)
    .calcs([calculation])
    .fields(field === null ? '' : `/^${field}$/`)
}

/** What each target showed over time: a lane for each. */
export function statusTimeline(
  { id, title, description, gridPos, noValue }: Frame,
  { status }: { readonly status?: string } = {},
) {
  return (
    new StateTimelinePanelBuilder()
      .id(id)
      .title(title)
      .description(description)
      .gridPos(gridPos)
      .datasource(DATA_SOURCE)
      .noValue(noValue)
      .mappings([STATUS_BY_CODE])
      .displayName('${__field.labels.Server} · ${__field.labels.Repository}')
      .showValue(VisibilityMode.Never)
      .mergeValues(true)
      .rowHeight(0.8)
      .lineWidth(0)
      .fillOpacity(80)
      // Nothing is known of the time before the first report: it stays empty.
      .spanNulls(false)
      .perPage(20)
      .legend(legend())
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single).sort(SortOrder.None))
      .withTarget(
        target({
          path: '/api/v1/history',
          params: { ...SELECTED, ...SPAN, ...(status === undefined ? {} : { status }) },
          columns: [
            { title: 'Time', selector: 'time', type: 'timestamp' },
            { title: 'Repository', selector: 'repo', type: 'string' },
            { title: 'Server', selector: 'server', type: 'string' },
            { title: 'Status', selector: 'status_code', type: 'number' },
          ],
          format: 'timeseries',
        }),
      )
  )
}

export function legend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .calcs([])
}

export function inThisOrder(titles: readonly string[]) {
  return {
    indexByName: Object.fromEntries(titles.map((title, index) => [title, index])),
    excludeByName: {},
    renameByName: {},
  }
}
