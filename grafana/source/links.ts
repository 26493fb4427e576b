import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
} from '@grafana/grafana-foundation-sdk/dashboard'

export const TAG = 'gitops-status'
export const FLEET_UID = 'gitops-status-fleet'
export const TARGET_UID = 'gitops-status-target'

const STATUS_PAGE = '${status_page:raw}'
const REPO = '${__data.fields.Repository:percentencode}'
const SERVER = '${__data.fields.Server:percentencode}'

/** Links at the top of a dashboard: to the other one, and to the server's own page. */
export function topLinks(): DashboardLinkBuilder[] {
  return [
    new DashboardLinkBuilder('GitOps status')
      .type(DashboardLinkType.Dashboards)
      .tags([TAG])
      .asDropdown(false)
      .includeVars(true)
      .keepTime(true),
    new DashboardLinkBuilder('Status page')
      .type(DashboardLinkType.Link)
      .icon('external link')
      .tooltip('The page of gitops-status-server itself')
      .url(`${STATUS_PAGE}/`)
      .targetBlank(true),
  ]
}

/** On the name of a server: to its dashboard, and to everything that is known of it. */
export function targetLinks(): DynamicConfigValue {
  return {
    id: 'links',
    value: [
      link(
        'Dashboard of ${__data.fields.Server}',
        `/d/${TARGET_UID}?\${__url_time_range}&var-repo=${REPO}&var-server=${SERVER}&var-status_page=\${status_page:percentencode}`,
        { newTab: false },
      ),
      // Not in a path: Grafana decodes a link before it shows it, and a repository's name may have slashes.
      link('All that is known of it (JSON)', `${STATUS_PAGE}/status.json?repo=${REPO}&server=${SERVER}`, {
        newTab: true,
      }),
    ],
  }
}

/** On a cell that holds an address. */
export function openIt(title: string): DynamicConfigValue {
  return { id: 'links', value: [link(title, '${__value.raw}', { newTab: true })] }
}

function link(
  title: string,
  url: string,
  { newTab }: { newTab: boolean },
): Pick<DashboardLink, 'title' | 'url' | 'targetBlank'> {
  return { title, url, targetBlank: newTab }
}
