import { TARGETS_PANEL } from './fleet-dashboard.ts'
import { DATA_SOURCE, infinityQuery, type QueryColumn } from './infinity-query.ts'
import { FLEET_UID } from './links.ts'

interface AlertRule {
  readonly uid: string
  readonly title: string
  /** Why it is as it is; a comment in the built file. */
  readonly why: string
  readonly path: string
  /** What tells one alert from another. Never what changes: a label with the status would begin a new alert with each. */
  readonly labels: readonly string[]
  /** The one number that is looked at. A second one would make every row an alert of its own. */
  readonly number: string
  readonly fires: { readonly when: 'gt' | 'lt'; readonly than: number }
  readonly for: string
  readonly noDataState: 'OK' | 'Alerting'
  readonly execErrState: 'KeepLast' | 'Alerting'
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  readonly description: string
  readonly runbook: string
}

const OF_TARGETS = {
  path: '/api/v1/status',
  labels: ['repo', 'server'],
  // No rows: there is no target that could have it. That nothing reports has a rule of its own.
  noDataState: 'OK',
  // The server does not answer, which has a rule of its own: one alert, and not one more for each of these rules. What
  // fires goes on firing, because nothing says that it is over.
  execErrState: 'KeepLast',
  severity: 'warning',
} as const

export const ALERT_RULES: readonly AlertRule[] = [
  {
    ...OF_TARGETS,
    uid: 'gitops-status-drift',
    title: 'A target differs from Git',
    why: 'Drift that was last seen, not the status: a check that fails in between would begin the ten minutes anew.',
    number: 'drift_count',
    fires: { when: 'gt', than: 0 },
    for: '10m',
    summary: '{{ $labels.server }} differs from Git ({{ $labels.repo }})',
    description:
      'For 10 minutes {{ $values.A.Value }} files or resources of {{ $labels.server }} have differed from what {{ $labels.repo }} declares. The dashboard names them.',
    runbook: 'docs/operate.md#a-target-differs-from-git',
  },
  {
    ...OF_TARGETS,
    uid: 'gitops-status-stale',
    title: 'Nothing is heard of a target',
    why: "The server has waited for the target's own interval and its grace already.",
    number: 'stale',
    fires: { when: 'gt', than: 0 },
    for: '1m',
    summary: 'Nothing is heard of {{ $labels.server }} ({{ $labels.repo }})',
    description:
      'No check of {{ $labels.server }} was reported within its interval and grace. Whether it still matches {{ $labels.repo }} is not known.',
    runbook: 'docs/operate.md#nothing-is-heard-of-a-target',
  },
  {
    ...OF_TARGETS,
    uid: 'gitops-status-unknown',
    title: 'Checks of a target fail',
    why: 'Reports come, and none of them finds anything out. Silence has a rule of its own.',
    number: 'check_failed',
    fires: { when: 'gt', than: 0 },
    for: '15m',
    summary: 'Checks of {{ $labels.server }} fail ({{ $labels.repo }})',
    description:
      'For 15 minutes no check of {{ $labels.server }} could be trusted, so whether it still matches {{ $labels.repo }} is not known. The dashboard says why.',
    runbook: 'docs/operate.md#checks-fail',
  },
  {
    uid: 'gitops-status-server-down',
    title: 'gitops-status-server is down',
    why: 'The number is 1 whenever there is one. It fires when there is none: no connection, or 503 while nothing can be stored.',
    path: '/readyz',
    labels: [],
    number: 'ready',
    fires: { when: 'lt', than: 1 },
    for: '2m',
    noDataState: 'Alerting',
    execErrState: 'Alerting',
    severity: 'critical',
    summary: 'gitops-status-server is down or cannot store reports',
    description:
      'For 2 minutes it did not say that it takes reports. Reporters retry for a while; then their reports are lost. The other rules keep what they last knew.',
    runbook: 'docs/operate.md#the-server-is-down',
  },
  {
    uid: 'gitops-status-no-targets',
    title: 'Nothing reports to gitops-status',
    why: 'It fires when there is no row. An empty database makes all the other rules content, and so does a reporter that was never set up.',
    path: '/api/v1/repos',
    labels: ['name'],
    number: 'targets',
    fires: { when: 'lt', than: 1 },
    for: '15m',
    noDataState: 'Alerting',
    execErrState: 'KeepLast',
    severity: 'warning',
    summary: 'gitops-status knows of no server',
    description:
      'For 15 minutes gitops-status-server has known of no target: nobody watches for drift. Its database is new, or nothing reports to it.',
    runbook: 'docs/operate.md#nothing-is-heard-of-a-target',
  },
]

/** What Grafana's provisioning takes. */
export function alertingFile() {
  return {
    apiVersion: 1,
    groups: [
      {
        orgId: 1,
        name: 'gitops-status',
        folder: 'GitOps',
        interval: '1m',
        rules: ALERT_RULES.map(provisioned),
      },
    ],
  }
}

function provisioned(rule: AlertRule) {
  return {
    '#': rule.why,
    uid: rule.uid,
    title: rule.title,
    condition: 'B',
    data: [
      {
        refId: 'A',
        datasourceUid: DATA_SOURCE.uid,
        // The rows are about now; Grafana wants a span all the same.
        relativeTimeRange: { from: 600, to: 0 },
        model: infinityQuery({ path: rule.path, columns: columnsOf(rule) }),
      },
      {
        refId: 'B',
        datasourceUid: '__expr__',
        relativeTimeRange: { from: 600, to: 0 },
        model: {
          refId: 'B',
          datasource: { type: '__expr__', uid: '__expr__' },
          type: 'threshold',
          expression: 'A',
          conditions: [{ evaluator: { type: rule.fires.when, params: [rule.fires.than] } }],
        },
      },
    ] as const,
    for: rule.for,
    noDataState: rule.noDataState,
    execErrState: rule.execErrState,
    dashboardUid: FLEET_UID,
    panelId: TARGETS_PANEL,
    labels: { severity: rule.severity },
    annotations: { summary: rule.summary, description: rule.description, runbook: rule.runbook },
  }
}

function columnsOf({ labels, number }: AlertRule): QueryColumn[] {
  return [
    ...labels.map((label) => ({ title: label, selector: label, type: 'string' }) as const),
    { title: number, selector: number, type: 'number' },
  ]
}
