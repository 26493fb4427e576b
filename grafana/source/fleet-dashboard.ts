import {
  GraphDrawStyle,
  LineInterpolation,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type Dashboard, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TimeSeriesPanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import * as column from './columns.ts'
import { type BuildOptions, dashboard } from './dashboard.ts'
import { episodes } from './episodes-panel.ts'
import { DATA_SOURCE, SELECTED, SPAN, target } from './infinity-query.ts'
import { FLEET_UID } from './links.ts'
import { CALM, DRIFT, fixedColor, fromOne, GOOD, IGNORANCE, thresholds } from './looks.ts'
import { allRows, type Frame, inThisOrder, legend, stat, statusTimeline, table } from './panels.ts'

/** The panel that alerts about one target lead to. */
export const TARGETS_PANEL = 3

/** Every server at a glance: how many differ from Git, which, since when, and of which nobody knows. */
export function fleetDashboard(options: BuildOptions): Dashboard {
  return dashboard(
    {
      uid: FLEET_UID,
      title: 'GitOps status: fleet',
      description: 'Which servers differ from Git, in which files, since when, and how fresh that knowledge is.',
    },
    [
      totals({
        id: 1,
        title: 'Targets',
        description:
          'One target is one repository on one server. Unknown: its check failed, or nothing was heard of it in time (silent). Drifted files count what was last seen, also of targets that are unknown now.',
        gridPos: { x: 0, y: 0, w: 18, h: 4 },
        noValue: 'No reports yet',
      }),
      stat(
        {
          id: 2,
          title: 'Oldest check',
          description:
            'How long ago the target that was checked longest ago was checked. Each has its own interval: whether that is too long, "silent" says.',
          gridPos: { x: 18, y: 0, w: 6, h: 4 },
          noValue: 'No reports yet',
        },
        { path: '/api/v1/repos', params: SELECTED, columns: [{ ...column.AGE, title: 'Oldest check' }] },
      )
        .unit('dtdurations')
        .decimals(0)
        .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: CALM }]))
        .reduceOptions(allRows('max')),
      table(
        {
          id: TARGETS_PANEL,
          title: 'Targets, the worst first',
          description:
            'Out of sync, then unknown, then synced. Of an unknown target the drift that was last seen stays on show until a check says otherwise. A server leads to its own dashboard.',
          gridPos: { x: 0, y: 4, w: 24, h: 10 },
          noValue: 'No target has reported yet, or none matches the filter.',
        },
        {
          path: '/api/v1/status',
          params: SELECTED,
          columns: [
            column.SYNC_STATUS,
            column.SERVER,
            column.REPOSITORY,
            column.DRIFT_COUNT,
            column.SINCE,
            column.LAST_CHECK,
            column.CHECK_FRESHNESS,
            column.WHY_UNKNOWN,
            column.LAST_KNOWN_STATUS,
            column.ERROR,
          ],
        },
      ),
      countsOverTime({
        id: 4,
        title: 'Targets by status over time',
        description: 'How many targets showed each status: of each stretch of time the worst of each target.',
        gridPos: { x: 0, y: 14, w: 12, h: 9 },
        noValue: 'Nothing was reported in this time.',
      }),
      statusTimeline(
        {
          id: 5,
          title: 'Not in sync now: how it came',
          description: 'A lane for each target that is out of sync or unknown at the end of the time on show.',
          gridPos: { x: 12, y: 14, w: 12, h: 9 },
          noValue: 'No target is out of sync or unknown.',
        },
        { status: 'OUT_OF_SYNC,UNKNOWN' },
      ),
      table(
        {
          id: 6,
          title: 'Drifted files',
          description:
            'What differs from Git, those of the worst targets first; up to 1,000. The same file on many servers is usually one change.',
          gridPos: { x: 0, y: 23, w: 12, h: 10 },
          noValue: 'No drifted file is known.',
        },
        {
          path: '/api/v1/files',
          params: { ...SELECTED, limit: '1000' },
          columns: [
            column.FILE,
            column.FILE_CHANGE,
            column.SERVER,
            column.REPOSITORY,
            column.FIRST_SEEN,
            column.SYNC_STATUS,
          ],
        },
      ),
      table(
        {
          id: 7,
          title: 'Staleness, the longest silence first',
          description:
            'How long ago each target last reported, beside how often it promised to. Late: a report is due. Stale: the grace is over too, and its status counts as unknown.',
          gridPos: { x: 12, y: 23, w: 12, h: 10 },
          noValue: 'No target has reported yet, or none matches the filter.',
        },
        {
          path: '/api/v1/status',
          params: SELECTED,
          sortBy: column.SILENCE,
          columns: [
            column.CHECK_FRESHNESS,
            column.SERVER,
            column.REPOSITORY,
            column.SILENCE,
            column.AGE,
            column.INTERVAL,
          ],
        },
      ),
      episodes({ id: 8, gridPos: { x: 0, y: 33, w: 24, h: 9 } }),
    ],
    options,
  )
}

function totals(frame: Frame) {
  const tiles = [
    { title: 'Out of sync', selector: 'out_of_sync', looks: [thresholds(fromOne(DRIFT))] },
    { title: 'Unknown', selector: 'unknown', looks: [thresholds(fromOne(IGNORANCE))] },
    { title: 'of these silent', selector: 'stale', looks: [thresholds(fromOne(IGNORANCE))] },
    { title: 'Synced', selector: 'synced', looks: [thresholds(fromOne(GOOD))] },
    { title: 'Drifted files', selector: 'drift_count', looks: [thresholds(fromOne(DRIFT))] },
  ]
  const panel = stat(frame, {
    // A row for each repository, and not for each target: this is asked by everyone who looks, every minute.
    path: '/api/v1/repos',
    params: SELECTED,
    columns: tiles.map(({ title, selector }) => ({ title, selector, type: 'number' })),
  })
    .reduceOptions(allRows('sum'))
    .withTransformation({ id: 'organize', options: inThisOrder(tiles.map(({ title }) => title)) })
  for (const { title, looks } of tiles) panel.overrideByName(title, looks)
  return panel
}

function countsOverTime({ id, title, description, gridPos, noValue }: Frame) {
  const series = [
    { title: 'Out of sync', selector: 'out_of_sync', color: DRIFT },
    { title: 'Unknown', selector: 'unknown', color: IGNORANCE },
    { title: 'Synced', selector: 'synced', color: GOOD },
  ]
  const panel = new TimeSeriesPanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .gridPos(gridPos)
    .datasource(DATA_SOURCE)
    .noValue(noValue)
    .decimals(0)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.StepAfter)
    .lineWidth(1)
    .fillOpacity(70)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(legend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None))
    .withTarget(
      target({
        path: '/api/v1/totals',
        params: { ...SELECTED, ...SPAN },
        columns: [
          { title: 'Time', selector: 'time', type: 'timestamp' },
          ...series.map(({ title, selector }) => ({ title, selector, type: 'number' }) as const),
        ],
      }),
    )
    // The worst lies at the bottom, where a line is easiest to follow.
    .withTransformation({ id: 'organize', options: inThisOrder(['Time', ...series.map(({ title }) => title)]) })
  for (const { title, color } of series) panel.overrideByName(title, [fixedColor(color)])
  return panel
}
