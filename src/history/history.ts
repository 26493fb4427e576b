import {
  type FileRow,
  fileRowsOf,
  type HistoryRow,
  MAX_ROWS,
  type TotalRow,
  type TransitionRow,
} from '../contract/row-lists.ts'
import { type StatusJson, type StatusRow, worstFirst } from '../contract/status-json.ts'
import { type EpisodeRow, episodeRowOf, type PeriodRow } from '../contract/target-history.ts'
import { isChangedBy, isWantedFile } from '../contract/wanted-files.ts'
import type { Episode } from '../domain/episode.ts'
import { type EpochMs, type Received, type Target, targetKey } from '../domain/report.ts'
import { checkedBy } from '../domain/target-state.ts'
import { bucketsIn } from './buckets.ts'
import { historyRowsOf, statusAtEnd, transitionRowsOf } from './history-rows.ts'
import type { KeptEpisode, KeptHistory, Page, Place, Span } from './kept-history.ts'
import { periodRowOf } from './period-row.ts'
import { type StateThen, stateThen } from './state-then.ts'
import { statusJsonThen } from './status-json-then.ts'
import { stretchesIn } from './stretches.ts'
import { totalRowsOf } from './total-rows.ts'
import { mapInTurns, sortInTurns } from './turns.ts'

/** Which targets an answer is about. Null: all. */
export interface Wanted {
  /** Those that are named, and that whoever asks may know of. */
  readonly isNamed: ((target: Target) => boolean) | null
  readonly status: ReadonlySet<string> | null
  readonly cause: ReadonlySet<string> | null
  /** Who changed a drifted file. */
  readonly modifiedBy: string | null
}

export interface Graph extends Span {
  /** How far apart the points are; null: as near as `maxPoints` allows. */
  readonly stepMs: number | null
  readonly maxPoints: number
  /** Only targets that had one of these at the end. Null: all. */
  readonly status: Wanted['status']
}

/** One page, and where the next one begins; null when there is none. */
export interface PageOf<Row> {
  readonly rows: readonly Row[]
  readonly next: Place | null
}

export interface History {
  statusJson(wanted: Wanted, at: Date): Promise<StatusJson>
  statusRows(wanted: Wanted, at: Date): Promise<StatusRow[]>
  fileRows(wanted: Wanted, at: Date): Promise<FileRow[]>
  graph(graph: Graph): Promise<HistoryRow[]>
  totals(graph: Graph): Promise<readonly TotalRow[]>
  transitions(span: Span & Pick<Graph, 'status'>): Promise<TransitionRow[]>
  periods(query: Span & Page): Promise<PageOf<PeriodRow>>
  episodes(query: Span & Page): Promise<PageOf<EpisodeRow>>
}

// Between two pages the event loop takes in reports.
const EPISODES_AT_ONCE = 1_000

/** Answers about the past, from what the store keeps. */
export function createHistory(kept: KeptHistory, now: () => Date): History {
  /** The worst first. */
  async function statesThen({ isNamed, status, cause, modifiedBy }: Wanted, at: Date): Promise<readonly StateThen[]> {
    const all = await kept.statesAt(at)
    const states = isNamed === null ? all : all.filter(({ newest: { report } }) => isNamed(report.target))
    const drifted = states.filter(({ lastKnown }) => lastKnown?.report.status === 'OUT_OF_SYNC')
    const episodes = await episodesAround(
      drifted.map(({ newest }) => newest.report.target),
      // A report may be long over when it comes: the episode that it belongs to can have ended before that.
      new Date(drifted.reduce((oldest, { lastKnown }) => earlier(oldest, lastKnown), at.getTime())),
      at,
    )
    const then = await mapInTurns(states, (state) =>
      stateThen(state, at.getTime(), episodes.get(state.newest.report.key) ?? []),
    )
    const wanted = then.filter(
      ({ row, finding }) =>
        (status?.has(row.sync_status) ?? true) &&
        (cause?.has(row.cause ?? '') ?? true) &&
        isChangedBy(modifiedBy, finding?.report.body.files),
    )
    return sortInTurns(wanted, (a, b) => worstFirst(a.row, b.row))
  }

  async function episodesAround(
    targets: readonly Target[],
    from: Date,
    at: Date,
  ): Promise<ReadonlyMap<string, Episode[]>> {
    const byTarget = new Map<string, Episode[]>()
    if (targets.length === 0) return byTarget
    for (let after = null; ; ) {
      const page: readonly KeptEpisode[] = await kept.episodes({
        targets,
        from,
        to: at,
        limit: EPISODES_AT_ONCE,
        after,
      })
      for (const episode of page) {
        const key = targetKey(episode.target)
        const listed = byTarget.get(key)
        if (listed === undefined) byTarget.set(key, [episode])
        else listed.push(episode)
      }
      const last = page.at(-1)
      if (last === undefined || page.length < EPISODES_AT_ONCE) return byTarget
      after = placeOfEpisode(last)
    }
  }

  async function stretches(span: Span & Pick<Graph, 'status'>) {
    const all = await stretchesIn(kept, span)
    const { status: wanted, to } = span
    return wanted === null ? all : all.filter((one) => wanted.has(statusAtEnd(one, to.getTime())))
  }

  return {
    statusJson: async (wanted, at) => statusJsonThen(await statesThen(wanted, at), at.getTime()),

    statusRows: async (wanted, at) => mapInTurns(await statesThen(wanted, at), ({ row }) => row),

    async fileRows(wanted, at) {
      const rows: FileRow[] = []
      for (const { row, finding } of await statesThen({ ...wanted, cause: null }, at)) {
        // Since when a file was there is kept of what is there now.
        const ofTarget = fileRowsOf(row, finding?.report.body.files ?? [], null)
        rows.push(...ofTarget.filter((row) => isWantedFile(row, wanted)))
        if (rows.length >= MAX_ROWS) break
      }
      return rows
    },

    async graph(graph) {
      const targets = await stretches(graph)
      const maxPoints = Math.min(graph.maxPoints, Math.floor(MAX_ROWS / Math.max(1, targets.length)))
      const { from, to } = msOf(graph)
      return historyRowsOf(targets, bucketsIn({ from, to, stepMs: graph.stepMs, maxPoints }))
    },

    async totals({ stepMs, maxPoints, ...span }) {
      const buckets = bucketsIn({ ...msOf(span), stepMs, maxPoints })
      return totalRowsOf(await stretches(span), buckets)
    },

    transitions: async (span) => transitionRowsOf(await stretches(span), msOf(span)),

    async periods(query) {
      const found = await kept.periods({ ...query, limit: query.limit + 1 })
      const nowMs = now().getTime()
      return pageOf(found, query.limit, {
        rowOf: (period) => periodRowOf(period, nowMs),
        placeOf: ({ targetId, number, period }) => ({ beganAt: period.beganAt, targetId, number }),
      })
    },

    async episodes(query) {
      const found = await kept.episodes({ ...query, limit: query.limit + 1 })
      return pageOf(found, query.limit, {
        rowOf: (episode) => episodeRowOf(episode.target, episode),
        placeOf: placeOfEpisode,
      })
    },
  }
}

function placeOfEpisode({ targetId, number, firstDirtyAt }: KeptEpisode): Place {
  return { beganAt: firstDirtyAt, targetId, number }
}

function earlier(ms: EpochMs, finding: Received | null): EpochMs {
  return finding === null ? ms : Math.min(ms, checkedBy(finding))
}

function msOf({ from, to }: Span): { readonly from: EpochMs; readonly to: EpochMs } {
  return { from: from.getTime(), to: to.getTime() }
}

/** @param found One more than the page holds when there is another page. */
function pageOf<One, Row>(
  found: readonly One[],
  limit: number,
  { rowOf, placeOf }: { rowOf: (one: One) => Row; placeOf: (one: One) => Place },
): PageOf<Row> {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown.map(rowOf), next: found.length > limit && last !== undefined ? placeOf(last) : null }
}
