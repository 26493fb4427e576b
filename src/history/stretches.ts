import { MAX_ROWS } from '../contract/row-lists.ts'
import { Fault } from '../domain/fault.ts'
import { staleAfterMs } from '../domain/freshness.ts'
import { type EpochMs, type SyncStatus, type Target, targetKey } from '../domain/report.ts'
import type { KeptHistory, KeptPeriod, Span } from './kept-history.ts'

/** What a target showed from one moment until another. */
export interface Stretch {
  readonly from: EpochMs
  /** Infinity while it lasts. */
  readonly until: EpochMs
  readonly status: SyncStatus
  readonly driftCount: number
  /** When the first check that said so began; null of silence. */
  readonly checkedAt: EpochMs | null
}

export interface TargetStretches {
  readonly target: Target
  /** In order of time, without gaps. */
  readonly stretches: readonly Stretch[]
}

// Between two pages the event loop takes in reports: a page of this size is put together in about 20 ms.
const PERIODS_AT_ONCE = 500

// As many as a fleet of 1,000 targets makes in a year in which 1 % of them change a day, fifty times over. Beyond it
// a single question would keep a processor busy for many seconds.
const MAX_PERIODS = 200_000

/**
 * What every target of a span showed in it.
 *
 * @throws Fault `invalid_filter` when more changed in the span than one answer can look at
 */
export async function stretchesIn(history: Pick<KeptHistory, 'periods'>, span: Span): Promise<TargetStretches[]> {
  const byTarget = new Map<string, { target: Target; newestFirst: Stretch[] }>()
  let looked = 0
  for (let after = null; ; ) {
    const page: readonly KeptPeriod[] = await history.periods({ ...span, limit: PERIODS_AT_ONCE, after })
    for (const one of page) {
      const { target } = one.newest.report
      const key = targetKey(target)
      const found = byTarget.get(key) ?? { target, newestFirst: [] }
      byTarget.set(key, found)
      found.newestFirst.push(...stretchesOf(one).reverse())
    }
    looked += page.length
    const last = page.at(-1)
    if (last === undefined || page.length < PERIODS_AT_ONCE) break
    if (looked > MAX_PERIODS)
      refuse('from', `reaches over more than ${MAX_PERIODS} periods: ask for a shorter time or fewer targets`)
    after = { beganAt: last.period.beganAt, targetId: last.targetId, number: last.number }
  }
  if (byTarget.size > MAX_ROWS) refuse('server', `must leave no more than ${MAX_ROWS} targets; got ${byTarget.size}`)
  return [...byTarget.values()].map(({ target, newestFirst }) => ({ target, stretches: newestFirst.reverse() }))
}

/** A period as it was on show: what its checks said, and UNKNOWN from when its silence was longer than the grace. */
export function stretchesOf({
  period,
  newest,
  lastKnown,
  endedAt,
}: Omit<KeptPeriod, 'targetId' | 'number'>): Stretch[] {
  const driftCount = lastKnown?.report.driftCount ?? 0
  const until = endedAt ?? Number.POSITIVE_INFINITY
  const staleAt = Math.max(period.beganAt, period.lastArrivedAt + staleAfterMs(newest.report.periodMs))
  return [
    {
      from: period.beganAt,
      until: Math.min(until, staleAt),
      status: period.status,
      driftCount,
      checkedAt: period.firstCheckAt,
    },
    { from: staleAt, until, status: 'UNKNOWN' as const, driftCount, checkedAt: null },
  ].filter(({ from, until }) => from < until)
}

function refuse(field: string, detail: string): never {
  throw new Fault('invalid_filter', `The parameter "${field}" ${detail}`, {
    problems: [{ field, pointer: '', detail }],
  })
}
