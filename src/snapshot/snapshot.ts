import type { ReportBody } from '../contract/report.ts'
import type { StatusJson } from '../contract/status-json.ts'
import { staleAfterMs } from '../domain/freshness.ts'
import type { Change } from '../domain/recorded.ts'
import { targetKey } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import { EVERYTHING, type Selection } from './selection.ts'
import { statusJsonOf } from './status-json.ts'
import { type View, viewOf } from './view.ts'

export interface Clocks {
  readonly now: () => Date
  readonly monotonicMs: () => number
}

export interface Snapshot {
  follow(changes: readonly Change<ReportBody>[]): void
  statusJson(selection?: Selection): StatusJson
}

/** What was known when this server started. */
export interface Known {
  readonly records: readonly { readonly record: TargetRecord<ReportBody>; readonly seq: number }[]
  /** When a server was last known to be there to hear of anything. */
  readonly aliveAt: Date | null
}

interface Entry {
  readonly record: TargetRecord<ReportBody>
  /** Of its newest change. */
  readonly seq: number
  /** Since when its silence counts, by the monotonic clock: its arrival, or this server's start. */
  readonly heardAtMs: number
  /** How long before that its newest report had arrived: more than 0 only after a restart. */
  readonly contactBeforeMs: number
}

/** The newest of every target, in memory. It begins with what the store holds and follows what is recorded. */
export function createSnapshot({ records, aliveAt }: Known, { now, monotonicMs }: Clocks): Snapshot {
  const entries = new Map<string, Entry>()

  // While this server was down nobody could reach it, so their silence says nothing: each target gets one full period
  // and grace. Otherwise every restart would turn everything STALE at once. What was STALE already while the server was
  // there stays so: a server that restarts again and again must not show dead targets as SYNCED.
  const startedAt = now()
  const startedAtMs = monotonicMs()
  for (const { record, seq } of records) {
    const { report, arrivedAt } = record.newest
    const silentBeforeMs = aliveAt === null ? 0 : aliveAt.getTime() - arrivedAt.getTime()
    const wasStale = silentBeforeMs > staleAfterMs(report.periodMs)
    const heardAtMs = wasStale ? startedAtMs - silentBeforeMs : startedAtMs
    entries.set(targetKey(report.target), {
      record,
      seq,
      heardAtMs,
      contactBeforeMs: Math.max(0, startedAt.getTime() - arrivedAt.getTime()) - (startedAtMs - heardAtMs),
    })
  }

  function viewNow({ record, heardAtMs, contactBeforeMs }: Entry): View {
    const silentMs = monotonicMs() - heardAtMs
    return viewOf(record, { silentMs, contactMs: contactBeforeMs + silentMs })
  }

  return {
    follow(changes) {
      for (const change of changes) {
        if ('removed' in change) {
          entries.delete(targetKey(change.removed))
          continue
        }
        const { seq, received, applied, after: record } = change
        const key = targetKey(received.report.target)
        const entry = entries.get(key)
        if (applied || entry === undefined) {
          entries.set(key, { record, seq, heardAtMs: monotonicMs(), contactBeforeMs: 0 })
        } else {
          entries.set(key, { ...entry, record, seq }) // a late report is no sign of life
        }
      }
    },

    statusJson(selection = EVERYTHING) {
      const views = [...entries.values()].filter(isNamedBy(selection)).map(viewNow)
      const { status: wanted } = selection
      return statusJsonOf(wanted === null ? views : views.filter(({ status }) => wanted.has(status)), now())
    },
  }
}

function isNamedBy({ repo: repos, server: servers }: Selection) {
  return ({ record }: Entry) => {
    const { repo, server } = record.newest.report.target
    return (repos?.has(repo) ?? true) && (servers?.has(server) ?? true)
  }
}
