import { type Connection, openConnection } from './connection.ts'
import type { AsFastAsItGoes, Job, LoadResult, ThisMany } from './job.ts'
import { latencyOf } from './latencies.ts'
import { createWriter } from './requests.ts'
import { createTally } from './tally.ts'

export type ClosedLoop = Job & { readonly pace: AsFastAsItGoes | ThisMany }
type Measured = Omit<LoadResult, 'generatorCpuMicros'>

/** Every connection has one request under way, always. */
export async function runClosedLoop({ port, connections, requests, pace }: ClosedLoop): Promise<Measured> {
  const { first } = pace
  const isCounted = pace.kind === 'this-many'
  const warmUpMs = isCounted ? 0 : pace.warmUpMs
  const measureMs = isCounted ? Number.POSITIVE_INFINITY : pace.measureMs
  const last = isCounted ? first + pace.count : Number.POSITIVE_INFINITY

  const tally = createTally()
  const latencies: number[] = []
  const finished = Promise.withResolvers<void>()
  let next = first
  let underWay = 0
  let measureFrom = 0
  let measureTo = 0

  async function openSlot() {
    const write = createWriter(requests)
    let sentAt = 0
    const connection = await openConnection(port, {
      onAnswer(status) {
        const now = performance.now()
        underWay--
        if (tally.count(status) && now >= measureFrom && now < measureTo) latencies.push(now - sentAt)
        if (now < measureTo && next < last) send()
        else if (underWay === 0) finished.resolve()
      },
      onLost(reason) {
        tally.fail(reason)
        underWay--
        if (underWay === 0) finished.resolve()
      },
    })
    function send() {
      underWay++
      sentAt = performance.now()
      connection.send(write(next++))
    }
    return { connection, send }
  }

  const slots: { readonly connection: Connection; readonly send: () => void }[] = []
  for (let index = 0; index < connections; index++) slots.push(await openSlot())

  measureFrom = performance.now() + warmUpMs
  measureTo = measureFrom + measureMs
  for (const { send } of slots) if (next < last) send()

  const giveUp = isCounted ? undefined : setTimeout(finished.resolve, warmUpMs + measureMs + pace.drainMs)
  await finished.promise
  clearTimeout(giveUp)
  const unanswered = underWay
  for (const { connection } of slots) connection.close()

  const elapsedMs = isCounted ? performance.now() - measureFrom : measureMs
  return {
    answered: latencies.length,
    perSecond: latencies.length / (elapsedMs / 1_000),
    latency: latencyOf(latencies),
    answeredInAll: tally.answered,
    failures: tally.failures,
    unanswered,
    next,
  }
}
