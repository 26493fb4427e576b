import { setImmediate as nextTurn } from 'node:timers/promises'
import { bySeverity } from '../domain/effective-status.ts'
import { SYNC_STATUSES, type SyncStatus } from '../domain/report.ts'
import {
  type ExpositionFormat,
  type Family,
  formatNumber,
  headOf,
  labelsOf,
  writeSamples,
} from './exposition-format.ts'

/** What the series of one target are made of. Null is not known, and has no series. */
export interface TargetMetrics {
  readonly repo: string
  readonly server: string
  /** As it is shown: a target that nobody hears of is UNKNOWN. */
  readonly syncStatus: SyncStatus
  /** What was last seen, also while the status is UNKNOWN. */
  readonly driftCount: number
  readonly stale: boolean
  readonly lastCheckAt: Date
  readonly contactAt: Date
  /** When the status that is shown began. */
  readonly since: Date | null
  /** When the drift that was last seen was found first; null without drift. */
  readonly driftSince: Date | null
  readonly missedChecks: number | null
  /** Of what the playbook declares, how much was compared; null when the reports do not say. */
  readonly coverage: number | null
  readonly lastFullCheckAt: Date | null
  /** Null when the reports do not say how they were made. */
  readonly checksDisagree: boolean | null
}

/**
 * How many targets have series: up to thirteen lines each, so 130,000 series and 12 MB a scrape. Prometheus would take more, but
 * whoever has more targets than these asks the API for one of them.
 */
export const MAX_TARGETS_WITH_SERIES = 10_000

// Between two slices the event loop serves others. A slice takes a millisecond or two.
const TARGETS_A_SLICE = 1_000

interface TargetFamily extends Family {
  /** The target's lines, or none. `labels` is `repo="…",server="…"`. */
  readonly lines: (target: TargetMetrics, labels: string) => string
}

/** Every series of a target. A new one: a line here. File names are never labels: anyone can make up any number of them. */
const FAMILIES: readonly TargetFamily[] = [
  {
    name: 'gitops_status_sync_status',
    type: 'gauge',
    help: 'The sync status that the target shows: 1 for the one it has, 0 for the others.',
    lines: ({ syncStatus }, labels) =>
      SYNC_STATUSES.map(
        (status) =>
          `gitops_status_sync_status{${labels},sync_status="${status}"} ${status === syncStatus ? '1' : '0'}\n`,
      ).join(''),
  },
  one('gauge', 'gitops_status_drifted_files', {
    help: 'Drifted files when they were last seen, also while the status is UNKNOWN.',
    value: ({ driftCount }) => driftCount,
  }),
  one('gauge', 'gitops_status_stale', {
    help: '1 when no report came within the interval and its grace.',
    value: ({ stale }) => (stale ? 1 : 0),
  }),
  one('gauge', 'gitops_status_last_check_timestamp_seconds', {
    help: 'When the newest check began, as its reporter says.',
    value: ({ lastCheckAt }) => unixSeconds(lastCheckAt),
  }),
  one('gauge', 'gitops_status_last_contact_timestamp_seconds', {
    help: 'When the newest report arrived.',
    value: ({ contactAt }) => unixSeconds(contactAt),
  }),
  one('gauge', 'gitops_status_sync_status_since_timestamp_seconds', {
    help: 'When the sync status that the target shows began.',
    value: ({ since }) => since && unixSeconds(since),
  }),
  one('gauge', 'gitops_status_drift_since_timestamp_seconds', {
    help: 'When the drift was first found; no series without drift.',
    value: ({ driftSince }) => driftSince && unixSeconds(driftSince),
  }),
  one('counter', 'gitops_status_missed_checks_total', {
    help: 'Checks that were due and did not come.',
    value: ({ missedChecks }) => missedChecks,
  }),
  one('gauge', 'gitops_status_target_coverage_ratio', {
    help: 'How much of what is declared the newest check compared: 1 is all of it.',
    value: ({ coverage }) => coverage,
  }),
  one('gauge', 'gitops_status_last_full_check_timestamp_seconds', {
    help: 'When the full check began that the newest check stands on, as its reporter says.',
    value: ({ lastFullCheckAt }) => lastFullCheckAt && unixSeconds(lastFullCheckAt),
  }),
  one('gauge', 'gitops_status_checks_disagree', {
    help: '1 when the newest report says that the full check and the fast check disagree.',
    value: ({ checksDisagree }) => (checksDisagree === null ? null : Number(checksDisagree)),
  }),
]

interface OneValue {
  readonly help: string
  readonly value: (target: TargetMetrics) => number | null
}

function one(type: 'gauge' | 'counter', name: string, { help, value }: OneValue): TargetFamily {
  const lines = (target: TargetMetrics, labels: string) => {
    const found = value(target)
    return found === null ? '' : `${name}{${labels}} ${formatNumber(found)}\n`
  }
  return { name, type, help, lines }
}

/** Writes what there is to say of the targets, in slices between which others have their turn. */
export async function writeTargets(
  targets: Iterable<TargetMetrics>,
  { format, maxTargets }: { readonly format: ExpositionFormat; readonly maxTargets: number },
): Promise<Buffer[]> {
  const { worst, counts, total } = await selectWorst(targets, maxTargets)
  const named: { readonly target: TargetMetrics; readonly labels: string }[] = []
  for (const [index, target] of worst.entries()) {
    named.push({ target, labels: labelsOf({ repo: target.repo, server: target.server }).slice(1, -1) })
    if (index % TARGETS_A_SLICE === 0) await nextTurn()
  }

  const written = [Buffer.from(writeTotals(counts, total - worst.length, format))]
  for (const family of FAMILIES) {
    const before = written.length
    for (let start = 0; start < named.length; start += TARGETS_A_SLICE) {
      let text = ''
      for (const { target, labels } of named.slice(start, start + TARGETS_A_SLICE)) text += family.lines(target, labels)
      if (text !== '') written.push(Buffer.from(text))
      await nextTurn()
    }
    if (written.length > before) written.splice(before, 0, Buffer.from(headOf(family, format)))
  }
  return written
}

function writeTotals(counts: Readonly<Record<SyncStatus, number>>, without: number, format: ExpositionFormat): string {
  return (
    writeSamples(
      { name: 'gitops_status_targets', type: 'gauge', help: 'Targets by the sync status that they show.' },
      SYNC_STATUSES.map((status) => ({ labels: { sync_status: status }, value: counts[status] })),
      format,
    ) +
    writeSamples(
      {
        name: 'gitops_status_targets_without_series',
        type: 'gauge',
        help: 'Targets beyond those that have series of their own here: the best and last by name.',
      },
      [{ value: without }],
      format,
    )
  )
}

/** The worst, in the order in which they are written. Takes memory for these, however many targets there are. */
async function selectWorst(targets: Iterable<TargetMetrics>, max: number) {
  const counts = { SYNCED: 0, OUT_OF_SYNC: 0, UNKNOWN: 0 }
  let worst: TargetMetrics[] = []
  let leastKept: TargetMetrics | undefined
  let total = 0

  for (const target of targets) {
    counts[target.syncStatus]++
    total++
    if (leastKept === undefined || worstFirst(target, leastKept) < 0) worst.push(target)
    if (worst.length >= 2 * max) {
      worst = worst.sort(worstFirst).slice(0, max)
      leastKept = worst.at(-1)
    }
    if (total % TARGETS_A_SLICE === 0) await nextTurn()
  }
  return { worst: worst.sort(worstFirst).slice(0, max), counts, total }
}

function worstFirst(a: TargetMetrics, b: TargetMetrics): number {
  return bySeverity(a.syncStatus, b.syncStatus) || compare(a.repo, b.repo) || compare(a.server, b.server)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function unixSeconds(time: Date): number {
  return time.getTime() / 1000
}
