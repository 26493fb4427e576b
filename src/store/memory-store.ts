import type { ReportBody } from '../contract/report.ts'
import { Fault } from '../domain/fault.ts'
import { recordIn } from '../domain/recorded.ts'
import { type Received, targetKey } from '../domain/report.ts'
import type { TargetState } from '../domain/target-state.ts'
import type { Appended, Store } from './store.ts'

export interface MemoryStore extends Store {
  /** From now on nothing can be written, or it can again. */
  setWritable(writable: boolean): void
}

/** Keeps everything until the process ends: for tests. */
export function createMemoryStore(): MemoryStore {
  const states = new Map<string, TargetState<ReportBody>>()
  const arrivals = new Map<string, Date>()
  let isWritable = true

  function refuseUnlessWritable() {
    if (!isWritable) throw new Fault('store_unavailable', 'The store cannot be written to')
  }

  function remember(received: Received<ReportBody>): Appended {
    const key = targetKey(received.report.target)
    const content = `${key} ${JSON.stringify(received.report.body)}`
    const first = arrivals.get(content)
    const state = states.get(key)
    if (first !== undefined && state !== undefined) return { duplicateOf: first, state }

    arrivals.set(content, received.arrivedAt)
    return { ...recordIn(states, received), duplicateOf: null }
  }

  return {
    async append(received) {
      refuseUnlessWritable()
      return received.map(remember)
    },
    async latest() {
      return [...states.values()]
    },
    async checkWritable() {
      refuseUnlessWritable()
    },
    async close() {},
    setWritable(writable) {
      isWritable = writable
    },
  }
}
