import { DATA_SOURCE } from './infinity-query.ts'

// Grafana puts its own environment in place of these when it reads the file.
const SERVER_URL = '$GITOPS_STATUS_SERVER_URL'

/** What Grafana's provisioning takes. */
export function dataSourceFile() {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'GitOps status',
        uid: DATA_SOURCE.uid,
        type: DATA_SOURCE.type,
        access: 'proxy',
        '#url': 'From the environment of Grafana. No slash at its end: the paths of the queries are put behind it.',
        url: SERVER_URL,
        isDefault: false,
        editable: false,
        jsonData: {
          auth_method: 'none',
          '#allowedHosts': 'Whoever adds a token must have these: without them each panel would carry a warning.',
          allowedHosts: [SERVER_URL],
          '#proxy_type':
            'By default the plugin goes through the HTTP_PROXY of Grafana, and such a proxy rarely reaches the server.',
          proxy_type: 'none',
          '#timeoutInSeconds': 'Before the next refresh. The default is 60.',
          timeoutInSeconds: 20,
          '#customHealthCheckEnabled': 'Without these, "Save & test" asks nobody.',
          customHealthCheckEnabled: true,
          customHealthCheckUrl: `${SERVER_URL}/healthz`,
        },
      },
    ],
  }
}

/** What makes Grafana read the dashboards. */
export function dashboardProviderFile() {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'gitops-status',
        orgId: 1,
        folder: 'GitOps',
        type: 'file',
        '#disableDeletion': 'They come from a file: what is saved in the browser would be lost when the file changes.',
        disableDeletion: true,
        allowUiUpdates: false,
        updateIntervalSeconds: 30,
        options: { path: '/etc/grafana/dashboards/gitops-status', foldersFromFilesStructure: false },
      },
    ],
  }
}
