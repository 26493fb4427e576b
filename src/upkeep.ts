import type { Log } from './http/log.ts'
import type { Every } from './real-time.ts'
import type { Store } from './store/store.ts'

export interface Needs {
  readonly store: Pick<Store, 'touch' | 'prune'>
  /** For how long history is kept. 0: for ever. */
  readonly retentionMs: number
  readonly now: () => Date
  readonly monotonicMs: () => number
  readonly every: Every
  readonly log: Log
}

export interface Upkeep {
  /** Begins nothing more and resolves when what was begun is done. */
  stop(): Promise<void>
}

// By so much at most a server that is killed is taken to have been gone for longer than it was. A tenth of what it takes
// for a target with the usual interval to become STALE is not noticed; an fsync each so often is not, either.
const TOUCH_MS = 15_000

// Not while everybody who waited for the start comes in at once.
const FIRST_PRUNE_MS = 60_000
const PRUNE_MS = 3_600_000

/**
 * What a server does unasked: it writes down that it is there, and forgets history that is older than it was told to
 * keep. Neither stops it when it fails: the disk may have room again a moment later.
 */
export function startUpkeep({ store, retentionMs, now, monotonicMs, every, log }: Needs): Upkeep {
  let running: Promise<void> | null = null
  let isFailing = false
  let pruneAtMs = monotonicMs() + FIRST_PRUNE_MS

  async function run(): Promise<void> {
    try {
      await store.touch(now())
      if (retentionMs > 0 && monotonicMs() >= pruneAtMs) {
        pruneAtMs = monotonicMs() + PRUNE_MS
        const rows = await store.prune(new Date(now().getTime() - retentionMs))
        if (rows > 0) log.info({ rows }, 'history pruned')
      }
      isFailing = false
    } catch (err) {
      if (!isFailing) log.error({ err }, 'upkeep of the store failed, and goes on trying')
      isFailing = true
    }
  }

  const end = every(TOUCH_MS, () => {
    running ??= run().finally(() => {
      running = null
    })
  })
  return {
    async stop() {
      end()
      await running
      // What is STALE in this moment stays so over a restart.
      await store.touch(now()).catch((err: unknown) => log.error({ err }, 'the end was not written down'))
    },
  }
}
