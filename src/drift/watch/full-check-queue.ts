import type { Difference } from '../baseline/compare.ts'
import type { FullCheckWish } from './host-watch.ts'
import type { WatchClock } from './watch-clock.ts'

/** Hosts of one run of Ansible, and what a look found different on each. */
export type Batch = ReadonlyMap<string, readonly Difference[]>

export interface FullCheckQueue {
  ask(host: string, wish: FullCheckWish): void
  /** A host that nobody watches any more. */
  forget(host: string): void
  /** Takes no more, and waits for those that run. */
  stop(): Promise<void>
}

// Hosts of one moment come together; nobody is told anything later for it.
const GATHER_MS = 100
// One host that is slow holds up no more than these.
const MAX_HOSTS = 20

/**
 * Runs of Ansible, one after the other over the whole fleet, each for the hosts that wait. Drift that somebody has been
 * told of is confirmed beside them: it must not wait until fifty hosts have been certified.
 */
export function createFullCheckQueue({
  run,
  clock,
}: {
  readonly run: (hosts: Batch) => Promise<void>
  readonly clock: Pick<WatchClock, 'after'>
}): FullCheckQueue {
  const lanes = { urgent: aLane(), routine: aLane() }
  let isStopped = false

  function pump(lane: Lane): void {
    if (isStopped || lane.running !== null || lane.waiting.size === 0) return
    const batch = new Map([...lane.waiting].slice(0, MAX_HOSTS))
    for (const host of batch.keys()) lane.waiting.delete(host)
    lane.running = run(batch).finally(() => {
      lane.running = null
      pump(lane)
    })
  }

  return {
    ask(host, { different, isUrgent }) {
      const lane = isUrgent ? lanes.urgent : lanes.routine
      lane.waiting.set(host, different)
      if (lane.running === null && lane.waiting.size === 1) clock.after(GATHER_MS, () => pump(lane))
    },
    forget(host) {
      for (const { waiting } of Object.values(lanes)) waiting.delete(host)
    },
    async stop() {
      isStopped = true
      await Promise.allSettled(Object.values(lanes).map(({ running }) => running))
    },
  }
}

interface Lane {
  readonly waiting: Map<string, readonly Difference[]>
  running: Promise<void> | null
}

function aLane(): Lane {
  return { waiting: new Map(), running: null }
}
