import { CLOCK_SKEW_MS } from './contract/limits.ts'
import { statusJsonText } from './contract/rows-text.ts'
import { Fault } from './domain/fault.ts'
import type { Target } from './domain/report.ts'
import type { History } from './history/history.ts'
import type { Within } from './http/operation.ts'
import type { Selected } from './http/routes/row-lists.ts'
import type { Reads } from './http/server.ts'
import { createRendering } from './snapshot/rendering.ts'
import { fileRowsOf, groupRowsOf, statusRowsOf, targetDetailsOf, targetRowsAfter } from './snapshot/row-lists.ts'
import { isEverything, parseSelection, type Selection, targetsNamedBy } from './snapshot/selection.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

export interface Needs {
  readonly snapshot: Pick<Snapshot, 'rendered' | 'renderedRows' | 'walk' | 'view'>
  readonly history: History
  readonly remove: (target: Target, at: Date, who: string | null) => Promise<boolean>
  readonly now: () => Date
}

type Named = { readonly repo?: string; readonly server?: string } & Within

const DAY_MS = 86_400_000

/** The same of the past. */
function wantedThen({ status, cause, modifiedBy, ...named }: Selection) {
  return { isNamed: targetsNamedBy(named), status, cause, modifiedBy }
}

function selectionOf({ within, ...query }: Selected): Selection {
  return parseSelection(query, within)
}

/** Who answers what is read: of now the snapshot, of the past the history. */
export function createReads({ snapshot, history, remove, now }: Needs): Reads {
  /**
   * Null: now. Answers name their moment to the second, so whoever asks for the second that our clock shows asks for now,
   * and of now more is known than of the past.
   *
   * @throws Fault `invalid_filter` when it has not come yet
   */
  function past(at: Date | null): Date | null {
    if (at === null) return null
    const current = now()
    refuseAhead('at', at, current)
    return secondOf(at) >= secondOf(current) ? null : at
  }

  /** Null: all. History is kept of the targets that there are now. */
  async function targetsOf({ repo, server, within }: Named): Promise<Target[] | null> {
    const selection = parseSelection({ repo, server }, within)
    if (isEverything(selection)) return null
    const targets: Target[] = []
    await snapshot.walk(selection, ({ record }) => {
      targets.push(record.newest.report.target)
      return 1
    })
    return targets
  }

  async function spanOf(named: Named, { from, to }: { from: Date | null; to: Date | null }, longestMs: number) {
    const current = now()
    const until = to === null || to > current ? current : to
    // A graph of what is to come would be an empty one, as if all were well.
    if (from !== null) refuseAhead('from', from, current)
    const since = from ?? new Date(Math.max(0, until.getTime() - longestMs))
    if (since > (to ?? since)) refuse('from', 'must not be after to')
    return { targets: await targetsOf(named), from: since > until ? until : since, to: until }
  }

  return {
    async statusJson(selected, at) {
      const selection = selectionOf(selected)
      const then = past(at)
      if (then === null) return snapshot.rendered(selection)
      return createRendering(await statusJsonText(await history.statusJson(wantedThen(selection), then)))
    },

    render: createRendering,

    renderedStatusRows: async (selected, limit) => snapshot.renderedRows(selectionOf(selected), limit),

    async statusRows(selected, at) {
      const selection = selectionOf(selected)
      const then = past(at)
      return then === null ? statusRowsOf(snapshot.walk, selection) : history.statusRows(wantedThen(selection), then)
    },

    async fileRows(selected, at) {
      const selection = selectionOf(selected)
      const then = past(at)
      if (then !== null) return history.fileRows(wantedThen(selection), then)
      return fileRowsOf(snapshot.walk, selection)
    },

    groupRows: async (selected, by) => groupRowsOf(snapshot.walk, selectionOf(selected), by),

    historyRows: async (selected, { stepMs, maxPoints, ...span }) => {
      const { status } = selectionOf(selected)
      return history.graph({ ...(await spanOf(selected, span, DAY_MS)), status, stepMs, maxPoints })
    },

    totalRows: async (selected, { stepMs, maxPoints, ...span }) => {
      const { status } = selectionOf(selected)
      return history.totals({ ...(await spanOf(selected, span, DAY_MS)), status, stepMs, maxPoints })
    },

    transitionRows: async (selected, span) => {
      const { status } = selectionOf(selected)
      return history.transitions({ ...(await spanOf(selected, span, DAY_MS)), status })
    },

    targetsAfter: async (selected, page) => targetRowsAfter(snapshot.walk, selectionOf(selected), page),

    target(name) {
      const view = snapshot.view(name)
      return view === undefined ? undefined : targetDetailsOf(view)
    },

    removeTarget: ({ repo, server }, who) => remove({ repo, server }, now(), who),

    periods: async (named, { limit, after, ...span }) =>
      history.periods({ ...(await spanOf(named, span, Number.POSITIVE_INFINITY)), limit, after }),

    episodes: async (named, { limit, after, ...span }) =>
      history.episodes({ ...(await spanOf(named, span, Number.POSITIVE_INFINITY)), limit, after }),
  }
}

function refuseAhead(field: string, moment: Date, current: Date): void {
  // As far as a reporter's clock may be ahead, a dashboard's may be, too: it asks for its own "now".
  if (moment.getTime() <= current.getTime() + CLOCK_SKEW_MS) return
  refuse(field, `must not lie ahead of this server's clock, which says ${current.toISOString()}`)
}

function secondOf(moment: Date): number {
  return Math.floor(moment.getTime() / 1_000)
}

function refuse(field: string, detail: string): never {
  throw new Fault('invalid_filter', `The parameter "${field}" ${detail}`, {
    problems: [{ field, pointer: '', detail }],
  })
}
