import type { EpochMs, Received, Report } from './report.ts'

/**
 * The newest reports of a target before the newest one, by which a delivery that is repeated late is known: of each its
 * mark, when it was checked and when it arrived.
 *
 * Numbers in a row, newest first. There is a list for each of a million targets, and a collector of garbage that has to
 * look at a dozen small objects in each holds up everything else.
 */
export type RecentReports = readonly number[]

export const NO_RECENT_REPORTS: RecentReports = []

// A reporter repeats a report for a minute at most, in which hardly more than one newer one can come. What comes again
// later than this is taken for one that came late; it changes nothing either way.
const KEPT = 3

export interface Seen {
  readonly mark: number
  readonly checkedAt: EpochMs
  readonly arrivedAt: EpochMs
}

const FIELDS = 3

/** The list after a newer report has taken the place of this one. */
export function withReplaced(recent: RecentReports, { report, arrivedAt }: Received): RecentReports {
  const replaced = [report.mark, report.checkedAt.getTime(), arrivedAt.getTime()]
  return replaced.concat(recent.slice(0, (KEPT - 1) * FIELDS)) // as long as it is: a list that grew keeps room for more
}

/** When a report that is in the list arrived; null when it is not. */
export function arrivalOf(recent: RecentReports, report: Pick<Report, 'mark' | 'checkedAt'>): Date | null {
  const checkedAt = report.checkedAt.getTime()
  for (let at = 0; at < recent.length; at += FIELDS) {
    // The mark last: it has to be made.
    if (recent[at + 1] === checkedAt && recent[at] === report.mark) return new Date(recent[at + 2] ?? 0)
  }
  return null
}

/** The list as objects, newest first. */
export function seenIn(recent: RecentReports): Seen[] {
  const all: Seen[] = []
  for (let at = 0; at + FIELDS <= recent.length; at += FIELDS) {
    all.push({ mark: recent[at] ?? 0, checkedAt: recent[at + 1] ?? 0, arrivedAt: recent[at + 2] ?? 0 })
  }
  return all
}
