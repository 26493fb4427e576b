import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CannotStart } from '../domain/cannot-start.ts'
import { Fault } from '../domain/fault.ts'
import type { AccountRows } from './sqlite-reader.ts'
import type { Answer, LookUp, Opening, Question, Ready, Values, WorkerData } from './sqlite-worker.ts'

export interface SqliteThread extends Ready {
  /** @throws Fault `store_unavailable`, `store_unreadable` */
  ask<Asked extends Question>(question: Asked): Promise<Values[Asked['ask']]>
  close(): Promise<void>
}

const LOOK_UPS: ReadonlySet<Question['ask']> = new Set<LookUp['ask']>([
  'statesAt',
  'periods',
  'episodes',
  'unusedContents',
  'tokens',
  'auditLog',
])

/**
 * Starts one thread of a store and resolves when it has told what the database holds.
 *
 * @throws CannotStart
 */
export async function startThread(data: WorkerData, onPage: (page: AccountRows) => void): Promise<SqliteThread> {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: data })
  const ready = await opening(worker, onPage)

  const waiting: ((answer: Answer) => void)[] = []
  let isClosed = false
  worker.on('message', (answer: Answer) => waiting.shift()?.(answer))
  worker.on('error', (error) => {
    throw error // a bug in the worker; without it nothing can be stored, so the process must not go on as if it could
  })

  async function ask<Asked extends Question>(question: Asked): Promise<Values[Asked['ask']]> {
    if (isClosed) throw new Fault('store_unavailable', 'The store is closed')
    isClosed = question.ask === 'close'
    const { promise, resolve } = Promise.withResolvers<Answer>()
    waiting.push(resolve)
    worker.postMessage(question)
    const answer = await promise
    if ('unavailable' in answer) {
      const cause = new Error(answer.unavailable)
      if (LOOK_UPS.has(question.ask)) {
        throw new Fault('store_unreadable', 'The report store cannot be read now: ask again', { cause })
      }
      throw new Fault('store_unavailable', 'The report store cannot write now. Nothing was recorded: send it again.', {
        cause,
      })
    }
    return answer.value as Values[Asked['ask']] // the worker answers each question with its own kind of value
  }

  return {
    ...ready,
    ask,
    async close() {
      if (isClosed) return
      const exited = once(worker, 'exit')
      await ask({ ask: 'close' })
      await exited
    },
  }
}

function opening(worker: Worker, onPage: (page: AccountRows) => void) {
  return new Promise<Ready>((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', function take(message: Opening) {
      try {
        if ('page' in message) return onPage(message.page)
        worker.off('message', take).off('error', reject)
        if ('cannotStart' in message) reject(new CannotStart(message.cannotStart))
        else resolve(message.ready)
      } catch (error) {
        reject(error)
        void worker.terminate()
      }
    })
  })
}
