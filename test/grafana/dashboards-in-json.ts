import { readFileSync } from 'node:fs'
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { InfinityQuery } from './infinity-plugin.ts'

export const DASHBOARDS = ['fleet', 'target'] as const

/** As Grafana reads it: the tests are about the built files, never about their source. */
export function readDashboard(name: (typeof DASHBOARDS)[number]): Dashboard {
  return JSON.parse(readFileSync(new URL(`../../grafana/dashboards/${name}.json`, import.meta.url), 'utf8'))
}

export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).map((panel) => {
    if (panel.type === 'row') throw new Error('Rows of panels are not looked into')
    return panel as Panel
  })
}

/** The only query of a panel. */
export function queryOf({ title, targets = [] }: Panel): InfinityQuery {
  const [only, ...others] = targets as unknown as InfinityQuery[]
  if (only === undefined || others.length > 0) throw new Error(`${title} has ${targets.length} queries`)
  return only
}

/** The query of a variable. Null: it has none. */
export function variableQueries({ templating }: Dashboard): { name: string; query: InfinityQuery }[] {
  return (templating.list ?? [])
    .filter(({ type }) => (type as string) === 'query')
    .map(({ name, query }) => ({ name, query: (query as { infinityQuery: InfinityQuery }).infinityQuery }))
}
