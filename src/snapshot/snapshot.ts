import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReportBody } from '../contract/report.ts'
import type { StatusJson } from '../contract/status-json.ts'
import { staleAfterMs } from '../domain/freshness.ts'
import type { Change } from '../domain/recorded.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import { createRenderCache } from './render-cache.ts'
import { createRendering, type Rendering } from './rendering.ts'
import { EVERYTHING, isEverything, type Selection } from './selection.ts'
import { compareNames, nameOf, statusJsonOf } from './status-json.ts'
import { type Fragment, fragmentOf, StatusText } from './status-text.ts'
import { type View, viewOf } from './view.ts'

export interface Clocks {
  readonly now: () => Date
  readonly monotonicMs: () => number
}

export interface Snapshot {
  follow(changes: readonly Change<ReportBody>[]): void
  /** The selected targets as they show now, in no order. */
  views(selection: Selection): View[]
  statusJson(selection?: Selection): StatusJson
  /** `statusJson` as bytes. Of everything it costs the same however many ask. */
  rendered(selection: Selection): Promise<Rendering>
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
  /** Its parts of the answer, once somebody has asked for them. */
  fragment: Fragment | null
}

// Writing a thousand rows takes about two milliseconds; then the event loop gets its turn.
const ROWS_IN_A_TURN = 2_000

/** The newest of every target, in memory. It begins with what the store holds and follows what is recorded. */
export function createSnapshot({ records, aliveAt }: Known, { now, monotonicMs }: Clocks): Snapshot {
  const entries = new Map<string, Entry>()
  let version = 0
  let sortedNames: string[] | null = null

  function put(name: string, entry: Omit<Entry, 'fragment'>): void {
    if (!entries.has(name)) sortedNames = null
    entries.set(name, { ...entry, fragment: null })
  }

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
    const contactBeforeMs = Math.max(0, startedAt.getTime() - arrivedAt.getTime()) - (startedAtMs - heardAtMs)
    put(nameOf(report.target), { record, seq, heardAtMs, contactBeforeMs })
  }

  function viewAt(atMs: number, { record, heardAtMs, contactBeforeMs }: Entry): View {
    const silentMs = atMs - heardAtMs
    return viewOf(record, { silentMs, contactMs: contactBeforeMs + silentMs })
  }

  function names(): readonly string[] {
    sortedNames ??= [...entries.keys()].sort(compareNames)
    return sortedNames
  }

  function views(selection: Selection): View[] {
    const atMs = monotonicMs()
    const { status: wanted } = selection
    const selected = [...entries.values()].filter(isNamedBy(selection)).map((entry) => viewAt(atMs, entry))
    return wanted === null ? selected : selected.filter(({ status }) => wanted.has(status))
  }

  async function write(): Promise<string> {
    const at = now()
    const atMs = monotonicMs()
    const text = new StatusText()
    let written = 0
    for (const name of names()) {
      if (++written % ROWS_IN_A_TURN === 0) await nextTurn()
      const entry = entries.get(name) // what it is now: it may have changed, or gone, since the loop had its turn
      if (entry === undefined) continue
      const view = viewAt(Math.max(atMs, entry.heardAtMs), entry)
      if (entry.fragment?.freshness !== view.freshness) entry.fragment = fragmentOf(view)
      text.add(view, entry.fragment)
    }
    return text.count > 1 ? text.toString(at) : JSON.stringify(statusJsonOf(views(EVERYTHING), at))
  }

  const renderedEverything = createRenderCache(
    { monotonicMs, version: () => version, targetCount: () => entries.size },
    write,
  )

  return {
    follow(changes) {
      version++
      for (const change of changes) {
        if ('removed' in change) {
          sortedNames = null
          entries.delete(nameOf(change.removed))
          continue
        }
        const { seq, received, applied, after: record } = change
        const name = nameOf(received.report.target)
        const entry = entries.get(name)
        if (applied || entry === undefined) {
          put(name, { record, seq, heardAtMs: monotonicMs(), contactBeforeMs: 0 })
        } else {
          put(name, { ...entry, record, seq }) // a late report is no sign of life
        }
      }
    },

    views,

    statusJson: (selection = EVERYTHING) => statusJsonOf(views(selection), now()),

    rendered: async (selection) =>
      isEverything(selection)
        ? renderedEverything()
        : createRendering(JSON.stringify(statusJsonOf(views(selection), now()))),
  }
}

function isNamedBy({ repo: repos, server: servers }: Selection) {
  return ({ record }: Entry) => {
    const { repo, server } = record.newest.report.target
    return (repos?.has(repo) ?? true) && (servers?.has(server) ?? true)
  }
}
