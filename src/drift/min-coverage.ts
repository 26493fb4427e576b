import { checkError } from './check-error.ts'
import type { Verdict } from './judge.ts'

/** SYNCED of a host of which too little was checked says more than is known. Drift that was found is drift all the same. */
export function withMinCoverage(verdict: Verdict, percent: number | null): Verdict {
  const { status, coverage } = verdict
  if (percent === null || status !== 'SYNCED' || coverage === null) return verdict
  const { checked, total } = coverage
  if (checked * 100 >= percent * total) return verdict
  const error = checkError('coverage_too_low', `${checked} of ${total} tasks, and ${percent} % are asked for`)
  return { ...verdict, status: 'UNKNOWN', error }
}
