import { problemAt } from '../contract/field-problem.ts'
import { CLOCK_SKEW_MS } from '../contract/limits.ts'
import type { Submission } from '../contract/submission.ts'
import { formatTime } from '../contract/time.ts'
import { Fault, type FieldProblem } from '../domain/fault.ts'

/**
 * Refuses what a report cannot say, whatever its form: that it was made in the future, or two things of one target.
 *
 * @throws Fault `report_from_the_future`, `invalid_report`
 */
export function refuseUntrue({ reports, isBatch }: Submission, now: Date): void {
  const at = (index: number) => (isBatch ? `/${index}` : '')
  const doubled: FieldProblem[] = []
  const future: FieldProblem[] = []

  // A report from further ahead would claim to be newer than every true one until then.
  const latest = now.getTime() + CLOCK_SKEW_MS
  const firstIndex = new Map<string, number>()
  for (const [index, { report }] of reports.entries()) {
    if (isBatch) {
      const first = firstIndex.get(report.key)
      if (first === undefined) firstIndex.set(report.key, index)
      else {
        const { repo, server } = report.target
        doubled.push(problemAt(at(index), `is of the same target as [${first}]: ${repo} on ${server}`))
      }
    }
    const { last_check, coverage } = report.body
    if (report.checkedAt.getTime() > latest) future.push(tooFarAhead(`${at(index)}/last_check`, last_check, now))
    // A full check that is yet to come would never be too long ago.
    const fullCheckAt = coverage?.full_check_at
    if (fullCheckAt !== undefined && Date.parse(fullCheckAt) > latest) {
      future.push(tooFarAhead(`${at(index)}/coverage/full_check_at`, fullCheckAt, now))
    }
  }

  const problems = [...doubled, ...future].slice(0, 100)
  if (doubled.length > 0) throw new Fault('invalid_report', 'The batch has the same target twice', { problems })
  if (future.length > 0) {
    const [first] = future
    throw new Fault('report_from_the_future', `${first?.field} ${first?.detail}`, { problems })
  }
}

function tooFarAhead(pointer: string, time: string, now: Date): FieldProblem {
  return problemAt(
    pointer,
    `is ${time}, more than 5 minutes ahead of this server's clock, ${formatTime(now)}: set the clock that is wrong`,
  )
}
