import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'

/** The data source that everything here reads. Its uid is fixed, so that nothing has to be chosen when it is imported. */
export const DATA_SOURCE = { type: 'yesoreyeram-infinity-datasource', uid: 'gitops-status' } as const

export type ColumnType = 'string' | 'number' | 'timestamp'

/** A key of the rows, and the title that Grafana knows it by. */
export interface QueryColumn {
  readonly title: string
  readonly selector: string
  readonly type: ColumnType
}

export interface RowsQuery {
  readonly path: string
  readonly params?: Readonly<Record<string, string>>
  /** Where the rows are in the answer. A bare key only: other selectors mean other things in other versions. */
  readonly root?: string
  readonly columns: readonly QueryColumn[]
  /** `timeseries`: texts become labels, and the one number a series for each of them. */
  readonly format?: 'table' | 'timeseries'
}

/** What the variables at the top of a dashboard have chosen. `*` when that is all. */
export const SELECTED = { repo: '${repo:csv}', server: '${server:csv}' }

// Not __timeFrom: public dashboards and old versions know these two only.
export const SPAN = { from: '${__from}', to: '${__to}' }

/**
 * What the Infinity plugin is told.
 *
 * Always `backend`: the parsers in the browser know no alert rules, no expressions and no public dashboards, and without
 * the word a query with columns gets one of them.
 */
export function infinityQuery({ path, params = {}, root = '', columns, format = 'table' }: RowsQuery, refId = 'A') {
  return {
    refId,
    datasource: DATA_SOURCE,
    type: 'json',
    source: 'url',
    parser: 'backend',
    format,
    url: path,
    url_options: {
      method: 'GET',
      data: '',
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
    },
    root_selector: root,
    columns: columns.map(({ title, selector, type }) => ({ selector, text: title, type })),
    computed_columns: [],
    filters: [],
  }
}

/** The same for the builders of panels, which take it from a builder. */
export function target(query: RowsQuery): Builder<Dataquery> {
  // The method only tells the compiler what this is; it is not written.
  return { build: () => ({ ...infinityQuery(query), _implementsDataqueryVariant() {} }) }
}
