import { WrongSettings } from '../wrong-settings.ts'
import type { Flags } from './flags.ts'
import { FLAGS, readOwnFlags, type Settings, seconds, settingsFrom } from './settings.ts'

const {
  fast: _always,
  'dry-run': _nothingToRun,
  output: _linesOrTable,
  'detailed-exitcode': _neverEnds,
  verbose: _tooMuch,
  'no-blame': _notAsked,
  pushgateway: _ofReports,
  'pushgateway-job': _job,
  'pushgateway-metric': _metric,
  'pushgateway-synced': _synced,
  ...SHARED
} = FLAGS

/** Every flag of `watch`: those of `report` that mean something there, and its own. */
export const WATCH_FLAGS = {
  ...SHARED,
  interval: {
    type: 'string',
    value: 'SECONDS',
    help: 'report each server at least so often (120; GITOPS_STATUS_INTERVAL)',
  },
  'full-every': {
    type: 'string',
    value: 'SECONDS',
    help: 'full check of a server at least so often (900; GITOPS_STATUS_FULL_EVERY)',
  },
  'state-dir': {
    type: 'string',
    value: 'DIRECTORY',
    help: 'where baselines are kept (~/.local/state/gitops-status; GITOPS_STATUS_STATE_DIR)',
  },
  'look-every': {
    type: 'string',
    value: 'SECONDS',
    help: 'look at each server so often, whatever it tells by itself (10; without inotify 1; GITOPS_STATUS_LOOK_EVERY)',
  },
  pull: { type: 'boolean', help: 'git pull --ff-only each minute' },
} as const satisfies Flags

export interface WatchSettings extends Settings {
  readonly repo: string
  readonly serverUrl: string
  readonly fast: NonNullable<Settings['fast']>
  readonly lookEveryMs: number | null
  readonly pull: boolean
}

const MAX_LOOK_EVERY_SECONDS = 3_600

/** @throws WrongSettings */
export function readWatchSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): WatchSettings {
  const problems: string[] = []
  const { 'look-every': lookEvery, pull = false, ...values } = readOwnFlags(WATCH_FLAGS, args, problems)
  const settings = settingsFrom({ ...values, fast: true }, { args, env, terminal }, problems)
  const lookEverySeconds = seconds({ flag: lookEvery, env, name: 'LOOK_EVERY', max: MAX_LOOK_EVERY_SECONDS }, problems)
  const { repo, serverUrl, fast } = settings
  if (repo === null && (env.REPO_NAME ?? '') === '') problems.push('REPO_NAME is not set')
  if (serverUrl === null && (env.GITOPS_STATUS_SERVER_URL ?? '') === '')
    problems.push('GITOPS_STATUS_SERVER_URL is not set')
  if (settings.pushgateway !== null) problems.push('watch does not push to a Pushgateway; report does')
  if (problems.length > 0 || repo === null || serverUrl === null || fast === null) throw new WrongSettings(problems)
  return {
    ...settings,
    ...{ repo, serverUrl, fast, pull },
    lookEveryMs: lookEverySeconds === null ? null : lookEverySeconds * 1_000,
  }
}
