import { Fault } from './domain/fault.ts'
import type { Log } from './http/log.ts'
import type { Every } from './real-time.ts'
import type { Store } from './store/store.ts'

// The database is asked each second what others have recorded, and has three seconds to answer. When nothing has been
// confirmed for longer than that, a question has failed, and it is no accident of a busy machine.
const FOLLOWS_MS = 5_000

const LOOK_MS = 1_000

export interface Needs {
  readonly following: Store['following']
  readonly now: () => Date
  readonly every: Every
  /** Told once each time that this server has lost what it follows. */
  readonly onLost: () => void
  readonly log: Log
}

/**
 * How much this server knows of what was recorded. It follows as long as the store confirms again and again that it knows
 * everything; behind from when that stays out, until the next time.
 *
 * While it is behind, others may take reports that it does not hear of: what it shows is good as of a moment in the past.
 */
export interface Knowledge {
  /** Everything that was recorded by then is known. */
  asOf(): Date
  isFollowing(): boolean
  /** How long ago that is. Null while this server follows. */
  secondsBehind(): number | null
  /** @throws Fault `store_unreadable` while it is behind */
  refuseIfBehind(): void
  stop(): void
}

export function createKnowledge({ following, now, every, onLost, log }: Needs): Knowledge {
  let wasBehind = false

  function asOf(): Date {
    return following()?.asOf ?? now()
  }

  function secondsBehind(): number | null {
    const unconfirmedMs = following()?.unconfirmedMs ?? 0
    return unconfirmedMs > FOLLOWS_MS ? Math.floor(unconfirmedMs / 1_000) : null
  }

  function isFollowing(): boolean {
    return secondsBehind() === null
  }

  const stop = every(LOOK_MS, () => {
    const isBehind = !isFollowing()
    if (isBehind && !wasBehind) {
      log.error({ as_of: asOf() }, 'what is recorded cannot be read any more: what is shown stands still')
      onLost()
    }
    if (!isBehind && wasBehind) log.info({}, 'what is recorded can be read again')
    wasBehind = isBehind
  })

  return {
    asOf,
    isFollowing,
    secondsBehind,
    refuseIfBehind() {
      if (isFollowing()) return
      throw new Fault(
        'store_unreadable',
        'This server cannot read now what is recorded: ask another, or ask again later',
      )
    },
    stop,
  }
}
