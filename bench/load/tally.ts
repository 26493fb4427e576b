/** What became of the requests that were no success. */
export interface Tally {
  /** Whether it was a success. */
  count(status: number): boolean
  fail(reason: string): void
  readonly answered: number
  readonly failures: Readonly<Record<string, number>>
}

// 202 is the Pushgateway's answer while its consistency check is off.
const SUCCESS = new Set([200, 202])

export function createTally(): Tally {
  const failures: Record<string, number> = {}
  let answered = 0
  const fail = (reason: string) => {
    failures[reason] = (failures[reason] ?? 0) + 1
  }
  return {
    count(status) {
      if (SUCCESS.has(status)) {
        answered++
        return true
      }
      fail(String(status))
      return false
    },
    fail,
    failures,
    get answered() {
      return answered
    },
  }
}
