import type { ReportBody } from '../contract/report.ts'
import { Fault } from '../domain/fault.ts'
import type { Received } from '../domain/report.ts'

// What may wait for the disk. Beyond this a slow disk would turn into a full memory; the reporters try again.
const MAX_WAITING_REPORTS = 20_000
const MAX_WAITING_BYTES = 32 * 1024 * 1024

interface Waiting<Result> {
  readonly received: readonly Received<ReportBody>[]
  readonly bytes: number
  readonly resolve: (results: Result[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets everything that arrived while the last commit ran share the next one.
 *
 * Idle until a submission comes, then committing until none waits. A submission enters as waiting, leaves with the
 * group that is committed next, and is answered when that commit is done, so never before it is on the disk.
 */
export function createGroupCommit<Result>(commit: (received: Received<ReportBody>[]) => Promise<Result[]>) {
  let waiting: Waiting<Result>[] = []
  let waitingReports = 0
  let waitingBytes = 0
  let isCommitting = false

  async function commitWhileAnyWait() {
    isCommitting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      waitingReports = 0
      waitingBytes = 0
      await commitGroup(group)
    }
    isCommitting = false
  }

  async function commitGroup(group: readonly Waiting<Result>[]) {
    try {
      const results = await commit(group.flatMap(({ received }) => received))
      let next = 0
      for (const { received, resolve } of group) {
        resolve(results.slice(next, next + received.length))
        next += received.length
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /**
   * Resolves to one result for each report, in order.
   *
   * @throws Fault `overloaded`
   */
  return function submit(received: readonly Received<ReportBody>[], bytes: number): Promise<Result[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Result[]>()
    const isFull = waitingReports + received.length > MAX_WAITING_REPORTS || waitingBytes + bytes > MAX_WAITING_BYTES
    if (isFull && waiting.length > 0) {
      reject(new Fault('overloaded', 'More reports are waiting for the disk than this server takes on: try again'))
      return promise
    }
    waiting.push({ received, bytes, resolve, reject })
    waitingReports += received.length
    waitingBytes += bytes
    if (!isCommitting) void commitWhileAnyWait()
    return promise
  }
}
