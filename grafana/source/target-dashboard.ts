import {
  GraphDrawStyle,
  LineInterpolation,
  SortOrder,
  TooltipDisplayMode,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type Dashboard, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TimeSeriesPanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import * as column from './columns.ts'
import { type BuildOptions, dashboard } from './dashboard.ts'
import { episodes } from './episodes-panel.ts'
import { DATA_SOURCE, SELECTED, SPAN, target } from './infinity-query.ts'
import { TARGET_UID } from './links.ts'
import { CALM, DRIFT, fromOne, STATUS } from './looks.ts'
import { allRows, eachRow, type Frame, legend, stat, statusTimeline, table } from './panels.ts'

const NO_REPORT = 'No report'

/** One server, or a few: sync status, drift count, changed files, last check, and what is known beside them. */
export function targetDashboard(options: BuildOptions): Dashboard {
  return dashboard(
    {
      uid: TARGET_UID,
      title: 'GitOps status: target',
      description:
        'One server, or the few that are chosen above: its sync status, what differs from Git, and its past.',
    },
    [
      stat(
        {
          id: 1,
          title: 'Sync status',
          description:
            'Whether the server matches Git, as far as its newest check knows. Unknown: that check failed, or no report came in time. A tile for each target, the worst first; up to 25.',
          gridPos: { x: 0, y: 0, w: 8, h: 5 },
          noValue: NO_REPORT,
        },
        { path: '/api/v1/status', params: SELECTED, columns: [column.SYNC_STATUS, column.REPOSITORY, column.SERVER] },
      )
        .mappings([STATUS])
        .reduceOptions(eachRow('Status')),
      stat(
        {
          id: 2,
          title: 'Drift count',
          description:
            'How many files differ from Git. While the status is unknown, how many did when it was last known.',
          gridPos: { x: 8, y: 0, w: 5, h: 5 },
          noValue: NO_REPORT,
        },
        { path: '/api/v1/status', params: SELECTED, columns: [column.DRIFT_COUNT] },
      )
        .thresholds(fromOne(DRIFT))
        .reduceOptions(allRows('sum')),
      moment(
        {
          id: 3,
          title: 'Last check',
          description: 'When the newest check began, by the clock of whoever checked. Of several targets the oldest.',
          gridPos: { x: 13, y: 0, w: 6, h: 5 },
          noValue: NO_REPORT,
        },
        { of: column.LAST_CHECK, calculation: 'min' },
      ),
      moment(
        {
          id: 4,
          title: 'Status since',
          description: 'The first check of the unbroken run with this status. Of several targets the newest change.',
          gridPos: { x: 19, y: 0, w: 5, h: 5 },
          noValue: NO_REPORT,
        },
        { of: column.SINCE, calculation: 'max' },
      ),
      table(
        {
          id: 5,
          title: 'Changed files',
          description:
            'What differs from Git: the path below /etc/, or the whole path. While the status is unknown, what differed when it was last known.',
          gridPos: { x: 0, y: 5, w: 24, h: 9 },
          noValue: 'No changed file is known.',
        },
        {
          path: '/api/v1/files',
          params: { ...SELECTED, limit: '1000' },
          columns: [
            column.FILE,
            column.FILE_CHANGE,
            column.FIRST_SEEN,
            column.MODIFIED_BY,
            column.MODIFIED_AT,
            column.SYNC_STATUS,
            column.SERVER,
            column.REPOSITORY,
          ],
        },
      ),
      statusTimeline({
        id: 6,
        title: 'Status over time',
        description:
          'The worst of each stretch of time. Silence counts as unknown from the end of the grace on. Empty before the first report.',
        gridPos: { x: 0, y: 14, w: 12, h: 8 },
        noValue: 'Nothing was reported in this time.',
      }),
      driftOverTime({
        id: 7,
        title: 'Drifted files over time',
        description: 'The most in each stretch of time.',
        gridPos: { x: 12, y: 14, w: 12, h: 8 },
        noValue: 'Nothing was reported in this time.',
      }),
      table(
        {
          id: 8,
          title: 'Newest check',
          description:
            'What is known of the newest check of each target: why it found nothing out, how much it compared, and how many checks have said the same since it began.',
          gridPos: { x: 0, y: 22, w: 24, h: 6 },
          noValue: NO_REPORT,
        },
        {
          path: '/api/v1/status',
          params: SELECTED,
          columns: [
            column.SYNC_STATUS,
            column.SERVER,
            column.REPOSITORY,
            column.CHECK_FRESHNESS,
            column.WHY_UNKNOWN,
            column.ERROR,
            column.LAST_KNOWN_STATUS,
            column.FILES_CHECKED,
            column.FILES_DECLARED,
            column.INTERVAL,
            column.CHECKS,
            column.COMMIT,
            column.PIPELINE,
          ],
        },
      ),
      episodes({ id: 9, gridPos: { x: 0, y: 28, w: 16, h: 9 } }),
      table(
        {
          id: 10,
          title: 'Transitions',
          description:
            'Each moment in which the status became another on the server of gitops-status, the newest first.',
          gridPos: { x: 16, y: 28, w: 8, h: 9 },
          noValue: 'The status did not change in this time.',
        },
        {
          path: '/api/v1/transitions',
          params: { ...SELECTED, ...SPAN, limit: '1000' },
          sortBy: column.WHEN,
          columns: [column.WHEN, column.BECAME_FROM, column.BECAME, column.SERVER, column.REPOSITORY],
        },
      ),
    ],
    options,
  )
}

function moment(frame: Frame, { of, calculation }: { of: column.Column; calculation: 'min' | 'max' }) {
  return (
    stat(frame, { path: '/api/v1/status', params: SELECTED, columns: [of] })
      .unit('dateTimeFromNow')
      // How long is too long depends on the target's own interval; the status says so.
      .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: CALM }]))
      .reduceOptions(allRows(calculation, of.title))
  )
}

function driftOverTime({ id, title, description, gridPos, noValue }: Frame) {
  return new TimeSeriesPanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .gridPos(gridPos)
    .datasource(DATA_SOURCE)
    .noValue(noValue)
    .displayName('${__field.labels.Server} · ${__field.labels.Repository}')
    .decimals(0)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.StepAfter)
    .lineWidth(2)
    .fillOpacity(10)
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .withTarget(
      target({
        path: '/api/v1/history',
        params: { ...SELECTED, ...SPAN },
        columns: [
          { title: 'Time', selector: 'time', type: 'timestamp' },
          { title: 'Repository', selector: 'repo', type: 'string' },
          { title: 'Server', selector: 'server', type: 'string' },
          { title: 'Drifted files', selector: 'drift_count', type: 'number' },
        ],
        format: 'timeseries',
      }),
    )
}
