import { alertingFile } from './alert-rules.ts'
import type { BuildOptions } from './dashboard.ts'
import { dashboardProviderFile, dataSourceFile } from './data-source.ts'
import { fleetDashboard } from './fleet-dashboard.ts'
import { targetDashboard } from './target-dashboard.ts'
import { yamlOf } from './yaml.ts'

/** Where `npm start` serves the status page. */
export const DEFAULT_STATUS_PAGE = 'http://127.0.0.1:8080'

/** Everything that Grafana reads, by its path below `grafana/`. */
export function builtFiles(options: BuildOptions): ReadonlyMap<string, string> {
  return new Map([
    ['provisioning/datasources/gitops-status.yml', withOrigin(yamlOf(dataSourceFile()))],
    ['provisioning/dashboards/gitops-status.yml', withOrigin(yamlOf(dashboardProviderFile()))],
    ['provisioning/alerting/gitops-status.yml', withOrigin(yamlOf(alertingFile()))],
    ['dashboards/fleet.json', jsonOf(fleetDashboard(options))],
    ['dashboards/target.json', jsonOf(targetDashboard(options))],
  ])
}

function withOrigin(yaml: string): string {
  return `# Built by \`npm run grafana\` from grafana/source.\n${yaml}`
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
