import type { ReportBody } from '../contract/report.ts'
import type { StatusJson } from '../contract/status-json.ts'
import type { Recorded } from '../domain/recorded.ts'
import { targetKey } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import { EVERYTHING, type Selection } from './selection.ts'
import { statusJsonOf } from './status-json.ts'
import { type View, viewOf } from './view.ts'

export interface Clocks {
  readonly now: () => Date
  /** Milliseconds by a clock that only ever goes forward, at the same pace whatever is done to the other one. */
  readonly monotonicMs: () => number
}

export interface Snapshot {
  follow(recorded: readonly Recorded<ReportBody>[]): void
  statusJson(selection?: Selection): StatusJson
}

interface Entry {
  readonly state: TargetState<ReportBody>
  /** Since when its silence counts, by the monotonic clock: its arrival, or this server's start. */
  readonly heardAtMs: number
  /** How long before that its newest report had arrived: more than 0 only after a restart. */
  readonly contactBeforeMs: number
}

/** The newest of every target, in memory. It begins with what the store holds and follows what is recorded. */
export function createSnapshot(states: readonly TargetState<ReportBody>[], { now, monotonicMs }: Clocks): Snapshot {
  const entries = new Map<string, Entry>()

  // While this server was down nobody could reach it, so their silence says nothing: each target gets one full period
  // and grace. Otherwise every restart would turn everything STALE at once.
  const startedAt = now()
  const startedAtMs = monotonicMs()
  for (const state of states) {
    entries.set(targetKey(state.newest.report.target), {
      state,
      heardAtMs: startedAtMs,
      contactBeforeMs: Math.max(0, startedAt.getTime() - state.newest.arrivedAt.getTime()),
    })
  }

  function viewNow({ state, heardAtMs, contactBeforeMs }: Entry): View {
    const silentMs = monotonicMs() - heardAtMs
    return viewOf(state, { silentMs, contactMs: contactBeforeMs + silentMs })
  }

  return {
    follow(recorded) {
      for (const { received, applied, after } of recorded) {
        const key = targetKey(received.report.target)
        const entry = entries.get(key)
        if (applied || entry === undefined) {
          entries.set(key, { state: after, heardAtMs: monotonicMs(), contactBeforeMs: 0 })
        } else {
          entries.set(key, { ...entry, state: after }) // a late report is no sign of life
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
  return ({ state }: Entry) => {
    const { repo, server } = state.newest.report.target
    return (repos?.has(repo) ?? true) && (servers?.has(server) ?? true)
  }
}
