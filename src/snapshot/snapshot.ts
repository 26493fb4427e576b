import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReportBody } from '../contract/report.ts'
import type { StatusJson } from '../contract/status-json.ts'
import { type Freshness, staleAfterMs } from '../domain/freshness.ts'
import type { Change } from '../domain/recorded.ts'
import { type SyncStatus, type Target, targetKey } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import { type Measured, measuredOf } from './measured.ts'
import { createRenderCache } from './render-cache.ts'
import { createRendering, type Rendering } from './rendering.ts'
import { EVERYTHING, isEverything, type Selection, targetsNamedBy } from './selection.ts'
import { SortedKeys } from './sorted-keys.ts'
import { statusJsonOf } from './status-json.ts'
import { type Fragment, fragmentOf, rowText, StatusText } from './status-text.ts'
import { type Summary, summaryOf } from './summary.ts'
import { freshnessAfter, type View, viewOf } from './view.ts'

export interface Clocks {
  readonly now: () => Date
  /** Everything that was recorded by then has been passed on: what is shown is as of this moment. */
  readonly asOf: () => Date
  readonly monotonicMs: () => number
  /** The same clock, less what time this process stood still and nobody could reach it. Silence is measured by it. */
  readonly presentMs: () => number
  /** For how long something may have been recorded elsewhere that is passed on only now. 0 where nobody else records. */
  readonly unseenMs: () => number
}

export interface Snapshot {
  follow(changes: readonly Change<ReportBody>[]): void
  /** The selected targets as they show now, in no order. */
  views(selection: Selection): View[]
  statusJson(selection?: Selection): StatusJson
  /** `statusJson` as bytes. Of everything it costs the same however many ask. */
  rendered(selection: Selection): Promise<Rendering>
  summary(selection: Selection): Summary
  /** What a page shows of the worst so many targets, and how many there are in all with each status. */
  worst(limit: number): Promise<Worst>
  /** Every target as it shows when it is its turn. May be read while reports come in. */
  measured(): Iterable<Measured>
  /** The rows of everything, the worst first, as bytes: at the same price. */
  renderedRows(): Promise<Rendering>
  /** A target's row as it shows now, as JSON. Null when there is no such target. */
  rowText(target: Target): string | null
  /**
   * Targets that have become LATE or STALE, each time once: here, or on another server of the same database that gives
   * them no new grace since it was there all the time. To be asked every second. It looks at a part of a huge fleet each
   * time, so that it never takes long: of a million targets the last one is found within a minute.
   */
  newlySilent(): Target[]
}

export interface Worst {
  readonly status: StatusJson
  readonly counts: Readonly<Record<SyncStatus, number>>
}

/** What was known when this server started. */
export interface Beginning {
  readonly records: readonly { readonly record: TargetRecord<ReportBody> }[]
  /** When a server was last known to be there to hear of anything. */
  readonly aliveAt: Date | null
}

/** Changed in place: there are as many as targets, and one changes with each report. */
interface Entry {
  record: TargetRecord<ReportBody>
  /** Since when its silence counts, by the clock of our presence: its arrival, or this server's start. */
  heardAtMs: number
  /** When its newest report arrived, by the monotonic clock: before it began, when that was before this server's start. */
  contactAtMs: number
  /** Its parts of the answer, once somebody has asked for them. */
  fragment: Fragment | null
  /** As it was when it came, or when somebody was last told that it is not so any more. */
  toldFreshness: Freshness
  /** The same, as a server shows it that was there all the time since its newest report arrived. */
  toldElsewhere: Freshness
}

interface Look {
  readonly presentMs: number
  readonly monotonicMs: number
}

// Writing a thousand rows takes about two milliseconds; then the event loop gets its turn.
const ROWS_IN_A_TURN = 2_000

// Looking at so many takes a few milliseconds.
const LOOKED_AT_ONCE = 20_000

/** The newest of every target, in memory. It begins with what the store holds and follows what is recorded. */
export function createSnapshot(
  { records, aliveAt }: Beginning,
  { now, asOf, monotonicMs, presentMs, unseenMs }: Clocks,
): Snapshot {
  const entries = new Map<string, Entry>()
  let version = 0
  const keys = new SortedKeys()

  function add(record: TargetRecord<ReportBody>, contact: { heardAtMs: number; contactAtMs: number }): void {
    const entry: Entry = { record, ...contact, fragment: null, toldFreshness: 'FRESH', toldElsewhere: 'FRESH' }
    const clocks = look()
    entry.toldFreshness = viewAt(clocks, entry).freshness
    entry.toldElsewhere = elsewhereAt(clocks, entry)
    const { key } = record.newest.report
    entries.set(key, entry)
    keys.add(key)
  }

  function change(entry: Entry, record: TargetRecord<ReportBody>, isSignOfLife: boolean): void {
    entry.record = record
    entry.fragment = null
    if (!isSignOfLife) return
    const silentMs = sinceArrivalMs(record)
    entry.heardAtMs = presentMs() - silentMs
    entry.contactAtMs = monotonicMs() - silentMs
    entry.toldFreshness = freshnessAfter(record, silentMs)
    entry.toldElsewhere = entry.toldFreshness
  }

  /**
   * How long ago a report arrived that is heard of now. Another server may have taken it while this one was cut off. That
   * one's clock says when; but what was recorded before this server was cut off it knew, whatever clocks say.
   */
  function sinceArrivalMs({ newest }: TargetRecord<ReportBody>): number {
    return Math.max(0, Math.min(now().getTime() - newest.arrivedAt.getTime(), unseenMs()))
  }

  // While this server was down nobody could reach it, so their silence says nothing: each target gets one full period
  // and grace. Otherwise every restart would turn everything STALE at once. What was STALE already while the server was
  // there stays so: a server that restarts again and again must not show dead targets as SYNCED.
  const startedAt = now()
  for (const { record } of records) {
    const { report, arrivedAt } = record.newest
    const silentBeforeMs = aliveAt === null ? 0 : aliveAt.getTime() - arrivedAt.getTime()
    const wasStale = silentBeforeMs > staleAfterMs(report.periodMs)
    add(record, {
      heardAtMs: presentMs() - (wasStale ? silentBeforeMs : 0),
      contactAtMs: monotonicMs() - Math.max(0, startedAt.getTime() - arrivedAt.getTime()),
    })
  }

  /** One look at the clocks serves all the views of a turn. */
  function look(): Look {
    return { presentMs: presentMs(), monotonicMs: monotonicMs() }
  }

  function viewAt({ presentMs, monotonicMs }: Look, { record, heardAtMs, contactAtMs }: Entry): View {
    return viewOf(record, { silentMs: presentMs - heardAtMs, contactMs: monotonicMs - contactAtMs })
  }

  function elsewhereAt({ monotonicMs }: Look, { record, contactAtMs }: Entry): Freshness {
    return freshnessAfter(record, monotonicMs - contactAtMs)
  }

  function viewNow(entry: Entry): View {
    return viewAt(look(), entry)
  }

  function* eachView(selection: Selection): Iterable<View> {
    for (const entry of entriesNamedBy(selection)) {
      const view = viewNow(entry)
      if (!(selection.status?.has(view.status) ?? true)) continue
      if (selection.cause?.has(view.finding?.report.body.cause ?? '') ?? true) yield view
    }
  }

  function* entriesNamedBy(selection: Selection): Iterable<Entry> {
    const { repo: repos, server: servers } = selection
    if (repos !== null && servers !== null && repos.size * servers.size < entries.size) {
      // Whoever asks for a few by name must not make us look at a million.
      for (const repo of repos) {
        for (const server of servers) {
          const entry = entries.get(targetKey({ repo, server }))
          if (entry !== undefined) yield entry
        }
      }
      return
    }
    const isNamed = targetsNamedBy(selection)
    for (const entry of entries.values()) {
      if (isNamed === null || isNamed(entry.record.newest.report.target)) yield entry
    }
  }

  function views(selection: Selection): View[] {
    return [...eachView(selection)]
  }

  /** Every target in order of name, with turns for the event loop in between. */
  async function inTurns(take: (view: View, entry: Entry) => void): Promise<void> {
    let taken = 0
    let clocks = look()
    for (const key of keys.inOrder()) {
      if (++taken % ROWS_IN_A_TURN === 0) {
        await nextTurn()
        clocks = look()
      }
      const entry = entries.get(key) // what it is now: it may have changed, or gone, since the loop had its turn
      if (entry !== undefined) take(viewAt(clocks, entry), entry)
    }
  }

  async function worst(limit: number): Promise<Worst> {
    const shown: Record<SyncStatus, View[]> = { OUT_OF_SYNC: [], UNKNOWN: [], SYNCED: [] }
    const counts = { OUT_OF_SYNC: 0, UNKNOWN: 0, SYNCED: 0 }
    const at = asOf()
    await inTurns((view) => {
      counts[view.status]++
      if (shown[view.status].length < limit) shown[view.status].push(view)
    })
    const all = [...shown.OUT_OF_SYNC, ...shown.UNKNOWN, ...shown.SYNCED]
    return { status: statusJsonOf(all.slice(0, limit), at), counts }
  }

  async function textOfAll(): Promise<StatusText> {
    const text = new StatusText()
    await inTurns((view, entry) => text.add(view, fragment(entry, view)))
    return text
  }

  async function write(): Promise<string> {
    const at = asOf()
    const text = await textOfAll()
    return text.count > 1 ? text.toString(at) : JSON.stringify(statusJsonOf(views(EVERYTHING), at))
  }

  function fragment(entry: Entry, view: View): Fragment {
    if (entry.fragment?.freshness !== view.freshness) entry.fragment = fragmentOf(view)
    return entry.fragment
  }

  let lookingAt = entries.values() // goes on where it was, also when targets come and go meanwhile
  function newlySilent(): Target[] {
    const silent: Target[] = []
    for (let looked = Math.min(entries.size, LOOKED_AT_ONCE); looked > 0; looked--) {
      let { value: entry } = lookingAt.next()
      if (entry === undefined) {
        lookingAt = entries.values()
        entry = lookingAt.next().value
      }
      if (entry === undefined) break
      const clocks = look()
      const { freshness } = viewAt(clocks, entry)
      const elsewhere = elsewhereAt(clocks, entry)
      if (freshness !== entry.toldFreshness || elsewhere !== entry.toldElsewhere) {
        silent.push(entry.record.newest.report.target)
      }
      entry.toldFreshness = freshness
      entry.toldElsewhere = elsewhere
    }
    return silent
  }

  const cache = { monotonicMs, version: () => version, targetCount: () => entries.size }
  const renderedEverything = createRenderCache(cache, write)

  return {
    follow(changes) {
      version++
      for (const one of changes) {
        if ('removed' in one) {
          const key = targetKey(one.removed)
          if (entries.delete(key)) keys.remove(key)
          continue
        }
        const { received, applied, after } = one
        const entry = entries.get(received.report.key)
        if (entry === undefined) {
          const silentMs = sinceArrivalMs(after)
          add(after, { heardAtMs: presentMs() - silentMs, contactAtMs: monotonicMs() - silentMs })
        } else change(entry, after, applied) // a late report is no sign of life
      }
    },

    views,

    renderedRows: createRenderCache(cache, async () => (await textOfAll()).rows()),

    rowText(target) {
      const entry = entries.get(targetKey(target))
      if (entry === undefined) return null
      const view = viewNow(entry)
      return rowText(view, fragment(entry, view))
    },

    newlySilent,

    summary: (selection) => summaryOf(eachView(selection)),

    worst,

    *measured() {
      for (const view of eachView(EVERYTHING)) yield measuredOf(view)
    },

    statusJson: (selection = EVERYTHING) => statusJsonOf(views(selection), asOf()),

    rendered: async (selection) =>
      isEverything(selection)
        ? renderedEverything()
        : createRendering(JSON.stringify(statusJsonOf(views(selection), asOf()))),
  }
}
