import type { EpisodeRow } from '../../../contract/target-history.ts'

/** An episode as it was known at a moment. What only later checks told is null. */
export interface Episode extends Omit<EpisodeRow, 'checks' | 'max_drift_count'> {
  readonly checks: number | null
  readonly max_drift_count: number | null
}

/**
 * Episodes without what became of them after a moment.
 *
 * @param driftSince The first check of the drift that was on show then, as the target's row of that moment says it: a
 * check that had begun by then may not have been heard of.
 */
export function episodesThen(episodes: readonly EpisodeRow[], at: number, driftSince: string | null): Episode[] {
  return episodes.flatMap((episode): Episode[] => {
    const { onset_before, repair_before, last_dirty } = episode
    const wasOnShow = driftSince !== null && secondOf(onset_before) === secondOf(driftSince)
    const wasRepaired = repair_before !== null && Date.parse(repair_before) <= at
    if (wasRepaired && !wasOnShow) return [episode]
    if (!wasOnShow) return []
    const known = Date.parse(last_dirty) <= at ? episode : { ...episode, checks: null, max_drift_count: null }
    return [{ ...known, is_open: 1, repair_after: null, repair_before: null, time_to_repair_seconds: null }]
  })
}

function secondOf(time: string): number {
  return Math.floor(Date.parse(time) / 1_000)
}
