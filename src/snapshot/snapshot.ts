import type { ReportBody } from '../contract/report.ts'
import type { StatusJson, TargetName } from '../contract/status-json.ts'
import { isChangedBy } from '../contract/wanted-files.ts'
import { type Freshness, staleAfterMs } from '../domain/freshness.ts'
import type { Change } from '../domain/recorded.ts'
import { type SyncStatus, type Target, targetKey } from '../domain/report.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import { type Measured, measuredOf } from './measured.ts'
import { createRenderCache, createRenderCaches } from './render-cache.ts'
import type { Rendering } from './rendering.ts'
import type { Walk } from './row-lists.ts'
import { EVERYTHING, isEverything, type Selection, selectionKey, targetsNamedBy } from './selection.ts'
import { SortedKeys } from './sorted-keys.ts'
import { MAX_ITEMS, statusJsonOf } from './status-json.ts'
import { type Fragment, fragmentOf, rowText, StatusText } from './status-text.ts'
import { NOTHING, type Summary, withTarget } from './summary.ts'
import { createTurns } from './turns.ts'
import { freshnessAfter, type View, viewOf } from './view.ts'
import { WorstFirst } from './worst-first.ts'

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
  readonly walk: Walk
  /** One target as it shows now. */
  view(target: Target): View | undefined
  statusJson(selection?: Selection): StatusJson
  /** `statusJson` as bytes. It costs the same however many ask at once. */
  rendered(selection: Selection): Promise<Rendering>
  summary(selection: Selection): Promise<Summary>
  /** What a page shows of the worst so many targets, and how many there are in all with each status. */
  worst(limit: number): Promise<Worst>
  /** Every target as it shows when it is its turn. May be read while reports come in. */
  measured(): Iterable<Measured>
  /** The first of the selected rows, the worst first, as bytes: at the same price. */
  renderedRows(selection: Selection, limit: number): Promise<Rendering>
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

// So many rows are written in two milliseconds, in ten where each report has changed since; then the loop gets its turn.
export const ROWS_IN_A_TURN = 1_000

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
  const turn = createTurns()

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

  /** The names to look at for it, in order: a few that are named, or all. */
  function keysFor({ repo: repos, server: servers }: Selection): readonly string[] {
    if (repos === null || servers === null || repos.size * servers.size >= entries.size) return keys.inOrder()
    // Whoever asks for a few by name must not make us look at a million.
    return [...repos].flatMap((repo) => [...servers].map((server) => targetKey({ repo, server }))).sort()
  }

  /** How an entry shows, if it is selected. */
  function selectedBy(selection: Selection): (entry: Entry, clocks: Look) => View | null {
    const isNamed = targetsNamedBy(selection)
    const { status: statuses, cause: causes, modifiedBy } = selection
    return (entry, clocks) => {
      if (isNamed !== null && !isNamed(entry.record.newest.report.target)) return null
      const view = viewAt(clocks, entry)
      const isShown =
        (statuses?.has(view.status) ?? true) &&
        (causes?.has(view.finding?.report.body.cause ?? '') ?? true) &&
        isChangedBy(modifiedBy, view.finding?.report.body.files)
      return isShown ? view : null
    }
  }

  function views(selection: Selection): View[] {
    const viewIfSelected = selectedBy(selection)
    const clocks = look()
    return keysFor(selection).flatMap((key) => {
      const entry = entries.get(key)
      return (entry && viewIfSelected(entry, clocks)) ?? []
    })
  }

  async function inTurns(
    selection: Selection,
    take: (view: View, entry: Entry) => number,
    { after, limit }: { readonly after: TargetName | null; readonly limit: number } = NO_PART,
  ): Promise<void> {
    const viewIfSelected = selectedBy(selection)
    const names = keysFor(selection)
    // Up to a turn's rows are of this very moment, so that whoever asks after a 200 sees that report.
    if (names.length > ROWS_IN_A_TURN) await turn()
    let clocks = look()
    let taken = 0
    let worked = 0
    for (let at = after === null ? 0 : firstAfter(names, targetKey(after)); at < names.length && taken < limit; at++) {
      if (worked >= ROWS_IN_A_TURN) {
        await turn()
        clocks = look()
        worked = 0
      }
      worked++
      const entry = entries.get(names[at] ?? '') // what it is now: it may have changed, or gone, since the loop had its turn
      const view = entry && viewIfSelected(entry, clocks)
      if (!entry || !view) continue
      worked += take(view, entry) - 1
      taken++
    }
  }

  async function worst(limit: number): Promise<Worst> {
    const shown = new WorstFirst<View>(limit)
    const counts = { OUT_OF_SYNC: 0, UNKNOWN: 0, SYNCED: 0 }
    const at = asOf()
    await inTurns(EVERYTHING, (view) => {
      counts[view.status]++
      shown.add(view.status, view)
      return 1
    })
    return { status: statusJsonOf(shown.all(), at), counts }
  }

  async function textOf(selection: Selection): Promise<StatusText> {
    const text = new StatusText()
    await inTurns(selection, (view, entry) => {
      const isNew = entry.fragment?.freshness !== view.freshness
      const written = fragment(entry, view)
      text.add(view, written)
      return isNew ? 1 + written.fileCount : 1
    })
    return text
  }

  async function write(selection: Selection): Promise<string> {
    const at = asOf()
    const text = await textOf(selection)
    return text.count > 1 ? text.toString(at) : JSON.stringify(statusJsonOf(text.only, at))
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
  const renderedEverything = createRenderCache(cache, () => write(EVERYTHING))
  const renderedSelection = createRenderCaches(cache)
  const renderedAllRows = createRenderCache(cache, async () => (await textOf(EVERYTHING)).rows())

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

    walk: inTurns,

    view(target) {
      const entry = entries.get(targetKey(target))
      return entry && viewNow(entry)
    },

    renderedRows: async (selection, limit) =>
      isEverything(selection) && limit >= MAX_ITEMS
        ? renderedAllRows()
        : renderedSelection(`${limit} ${selectionKey(selection)}`, async () => (await textOf(selection)).rows(limit)),

    rowText(target) {
      const entry = entries.get(targetKey(target))
      if (entry === undefined) return null
      const view = viewNow(entry)
      return rowText(view, fragment(entry, view))
    },

    newlySilent,

    async summary(selection) {
      let summary = NOTHING
      await inTurns(selection, (view) => {
        summary = withTarget(summary, view)
        return 1
      })
      return summary
    },

    worst,

    *measured() {
      for (const entry of entries.values()) yield measuredOf(viewNow(entry))
    },

    statusJson: (selection = EVERYTHING) => statusJsonOf(views(selection), asOf()),

    rendered: async (selection) =>
      isEverything(selection)
        ? renderedEverything()
        : renderedSelection(selectionKey(selection), () => write(selection)),
  }
}

const NO_PART = { after: null, limit: Number.POSITIVE_INFINITY }

/** Index of the first name after this one; the length if there is none. */
function firstAfter(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((names[middle] ?? '') > name) high = middle
    else low = middle + 1
  }
  return low
}
