import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type ReportBody, reportOf } from '../contract/report.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import { Fault } from '../domain/fault.ts'
import { recordIn } from '../domain/recorded.ts'
import { type Received, targetKey } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import type { ReportRow, StateRow } from './sqlite-database.ts'
import type { Answer, Opening, Question } from './sqlite-worker.ts'
import type { Appended, Store } from './store.ts'

/**
 * One SQLite file, written by one worker thread, so that the event loop never waits for the disk.
 *
 * The states are also held here. This process is the only one that writes the file, and both sides fold the same
 * reports in the same order, so that the worker only has to say which of them were duplicates.
 *
 * @throws CannotStart
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: path })
  const [opening]: [Opening] = await once(worker, 'message').then(([message]) => [message])
  if ('cannotStart' in opening) throw new CannotStart(opening.cannotStart)

  const states = new Map<string, TargetState<ReportBody>>()
  for (const row of opening.states) {
    const state = stateOf(row)
    states.set(targetKey(state.newest.report.target), state)
  }

  const waiting: ((answer: Answer) => void)[] = []
  worker.on('message', (answer: Answer) => waiting.shift()?.(answer))
  worker.on('error', (error) => {
    throw error // a bug in the worker; without it nothing can be stored, so the process must not go on as if it could
  })

  async function ask(question: Question): Promise<Answer> {
    if (isClosed) throw new Fault('store_unavailable', 'The store is closed')
    isClosed = question.ask === 'close'
    worker.postMessage(question)
    const { promise, resolve } = Promise.withResolvers<Answer>()
    waiting.push(resolve)
    const answer = await promise
    if ('unavailable' in answer) {
      throw new Fault('store_unavailable', 'The report store cannot write now. Nothing was recorded: send it again.', {
        cause: new Error(answer.unavailable),
      })
    }
    return answer
  }
  let isClosed = false

  return {
    async append(received) {
      const answer = await ask({ ask: 'append', rows: received.map(rowOf) })
      const duplicatesOf = 'duplicatesOf' in answer ? answer.duplicatesOf : []
      return received.map((one, index) => remember(states, one, duplicatesOf[index] ?? null))
    },

    async latest() {
      return [...states.values()]
    },

    async checkWritable() {
      await ask({ ask: 'checkWritable' })
    },

    async close() {
      if (isClosed) return
      const exited = once(worker, 'exit')
      await ask({ ask: 'close' })
      await exited
    },
  }
}

function remember(
  states: Map<string, TargetState<ReportBody>>,
  received: Received<ReportBody>,
  duplicateOf: number | null,
): Appended {
  const state = states.get(targetKey(received.report.target))
  if (duplicateOf !== null && state !== undefined) return { duplicateOf: new Date(duplicateOf), state }
  return { ...recordIn(states, received), duplicateOf: null }
}

function rowOf({ report, arrivedAt }: Received<ReportBody>): ReportRow {
  const { target, status, checkedAt, driftCount, periodMs, body } = report
  return {
    repo: target.repo,
    server: target.server,
    status,
    checkedAt: checkedAt.getTime(),
    arrivedAt: arrivedAt.getTime(),
    driftCount,
    periodMs,
    body: JSON.stringify(body),
  }
}

function stateOf({ newest, lastKnown }: StateRow): TargetState<ReportBody> {
  return { newest: receivedOf(newest), lastKnown: lastKnown && receivedOf(lastKnown) }
}

function receivedOf({ body, arrivedAt }: StateRow['newest']): Received<ReportBody> {
  return { report: reportOf(JSON.parse(body)), arrivedAt: new Date(arrivedAt) }
}
