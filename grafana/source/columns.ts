import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import type { QueryColumn } from './infinity-query.ts'
import { openIt, targetLinks } from './links.ts'
import {
  CHANGE,
  colouredText,
  DRIFT,
  EPISODE_STATE,
  FRESHNESS,
  fromOne,
  mappings,
  REASON,
  STATUS,
  thresholds,
  unit,
  width,
} from './looks.ts'

/** A column of a table: what it is made of, and how it looks. */
export interface Column extends QueryColumn {
  readonly looks: readonly DynamicConfigValue[]
}

const NAME_WIDTH = 180
const STATUS_WIDTH = 140
const TIME_WIDTH = 150
const NUMBER_WIDTH = 110

export const SERVER = text('Server', 'server', [width(NAME_WIDTH), targetLinks()])
export const REPOSITORY = text('Repository', 'repo', [width(NAME_WIDTH)])

export const SYNC_STATUS = statusColumn('Status', 'sync_status')
export const LAST_KNOWN_STATUS = statusColumn('Last known', 'last_known_status')
export const BECAME_FROM = statusColumn('From', 'from_status')
export const BECAME = statusColumn('To', 'to_status')
export const DRIFT_COUNT = count('Drifted files', 'drift_count', [thresholds(fromOne(DRIFT)), colouredText()])
export const SINCE = ago('Status since', 'since')
export const LAST_CHECK = ago('Last check', 'last_check')
export const CHECK_FRESHNESS = text('Freshness', 'freshness', [width(110), mappings(FRESHNESS), colouredText()])
export const WHY_UNKNOWN = text('Why unknown', 'reason', [mappings(REASON)])
export const ERROR = text('Error', 'error_message', [])
export const COMMIT = text('Commit', 'revision', [width(NUMBER_WIDTH)])
export const PIPELINE = text('Pipeline', 'pipeline_url', [openIt('Open the pipeline')])
export const AGE = seconds('Since last check', 'age_seconds')
export const SILENCE = seconds('Since last report', 'contact_age_seconds')
export const INTERVAL = seconds('Due every', 'interval_seconds')
export const CHECKS = count('Checks', 'checks')
export const FILES_CHECKED = count('Files checked', 'checked')
export const FILES_DECLARED = count('Files declared', 'total')

export const FILE = text('File', 'name', [])
export const FILE_CHANGE = text('Change', 'change', [width(STATUS_WIDTH), mappings(CHANGE)])
export const FIRST_SEEN = ago('First seen', 'first_seen')
export const MODIFIED_AT = moment('Modified', 'modified_at')
export const MODIFIED_BY = text('Modified by', 'modified_by', [width(NAME_WIDTH)])

export const STATE = number('State', 'is_open', [width(STATUS_WIDTH), mappings(EPISODE_STATE), colouredText()])
export const BEGAN_AFTER = moment('Began after', 'onset_after')
export const BEGAN_BEFORE = moment('Began before', 'onset_before')
export const REPAIRED_AFTER = moment('Repaired after', 'repair_after')
export const REPAIRED_BEFORE = moment('Repaired before', 'repair_before')
export const TIME_TO_REPAIR = seconds('Time to repair', 'time_to_repair_seconds')
export const MOST_FILES = count('Most files', 'max_drift_count')

export const WHEN = moment('Time', 'time')

function text(title: string, selector: string, looks: readonly DynamicConfigValue[]): Column {
  return { title, selector, type: 'string', looks }
}

function number(title: string, selector: string, looks: readonly DynamicConfigValue[]): Column {
  return { title, selector, type: 'number', looks }
}

function statusColumn(title: string, selector: string): Column {
  return text(title, selector, [width(STATUS_WIDTH), mappings(STATUS), colouredText()])
}

function count(title: string, selector: string, looks: readonly DynamicConfigValue[] = []): Column {
  return number(title, selector, [width(NUMBER_WIDTH), ...looks])
}

function seconds(title: string, selector: string): Column {
  return number(title, selector, [width(TIME_WIDTH), unit('dtdurations')])
}

function ago(title: string, selector: string): Column {
  return { title, selector, type: 'timestamp', looks: [width(TIME_WIDTH), unit('dateTimeFromNow')] }
}

function moment(title: string, selector: string): Column {
  return { title, selector, type: 'timestamp', looks: [width(TIME_WIDTH), unit('dateTimeAsIso')] }
}
