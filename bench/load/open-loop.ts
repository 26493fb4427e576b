import { type Connection, openConnection } from './connection.ts'
import type { AtARate, Job, LoadResult, Stretch } from './job.ts'
import { latencyOf } from './latencies.ts'
import { createWriter } from './requests.ts'
import { createTally } from './tally.ts'

export type OpenLoop = Job & { readonly pace: AtARate }
type Measured = Omit<LoadResult, 'generatorCpuMicros'>

// A server that stands still for longer than this has failed, and the benchmark must end by itself.
const DRAIN_MS = 30_000

/**
 * Requests are due at fixed moments. Latency counts from the moment at which a request was due, not from when a
 * connection became free for it: otherwise a server that stalls would be asked less just then, and its stall would
 * show up as one slow answer instead of as the many that it made late.
 */
export async function runOpenLoop(
  { port, connections, requests, pace }: OpenLoop,
  onStretch: (stretch: Stretch) => void,
): Promise<Measured> {
  const { first, perSecond, seconds, stretchMs } = pace
  const count = Math.round(perSecond * seconds)
  const tally = createTally()
  const latencies: number[] = []
  const finished = Promise.withResolvers<void>()
  const idle: ((dueAt: number) => void)[] = []
  const overdue: number[] = []
  let scheduled = 0
  let next = first
  let underWay = 0
  let stretchFrom = 0

  async function openSlot(): Promise<Connection> {
    const write = createWriter(requests)
    let dueAt = 0
    const connection = await openConnection(port, {
      onAnswer(status) {
        underWay--
        if (tally.count(status)) latencies.push(performance.now() - dueAt)
        const waiting = overdue.shift()
        if (waiting !== undefined) send(waiting)
        else idle.push(send)
        finishIfDone()
      },
      onLost(reason) {
        tally.fail(reason)
        underWay--
        finished.resolve() // with fewer connections the figures would be of something else
      },
    })
    function send(due: number) {
      dueAt = due
      underWay++
      connection.send(write(next++))
    }
    idle.push(send)
    return connection
  }

  function finishIfDone() {
    if (scheduled === count && underWay === 0 && overdue.length === 0) finished.resolve()
  }

  function sendWhatIsDue(begunAt: number) {
    const dueByNow = Math.min(count, Math.floor(((performance.now() - begunAt) / 1_000) * perSecond) + 1)
    for (; scheduled < dueByNow; scheduled++) {
      const dueAt = begunAt + (scheduled / perSecond) * 1_000
      const send = idle.shift()
      if (send === undefined) overdue.push(dueAt)
      else send(dueAt)
    }
  }

  function tellStretch() {
    const some = latencies.slice(stretchFrom)
    stretchFrom = latencies.length
    onStretch({ answered: some.length, latency: latencyOf(some) })
  }

  const opened: Connection[] = []
  for (let index = 0; index < connections; index++) opened.push(await openSlot())

  const begunAt = performance.now()
  const ticks = setInterval(sendWhatIsDue, 1, begunAt)
  const stretches = setInterval(tellStretch, stretchMs)
  const giveUp = setTimeout(finished.resolve, seconds * 1_000 + DRAIN_MS)
  await finished.promise
  const elapsedMs = performance.now() - begunAt
  clearInterval(ticks)
  clearInterval(stretches)
  clearTimeout(giveUp)
  if (stretchFrom < latencies.length) tellStretch()
  for (const connection of opened) connection.close()

  return {
    answered: latencies.length,
    perSecond: latencies.length / (elapsedMs / 1_000),
    latency: latencyOf(latencies),
    answeredInAll: tally.answered,
    failures: tally.failures,
    unanswered: underWay + overdue.length,
    next,
  }
}
