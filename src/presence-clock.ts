import type { Every } from './real-time.ts'

export interface Needs {
  readonly monotonicMs: () => number
  readonly every: Every
}

const BEAT_MS = 1_000

// A busy machine delays a beat by a second or two, in which reports wait in the kernel and are heard all the same.
const STOPPED_MS = 5_000

export interface PresenceClock {
  /** Milliseconds for which this process has run. */
  readonly presentMs: () => number
  stop(): void
}

/**
 * A monotonic clock that stands still while the process does: when it is stopped by a signal, a debugger or the machine
 * that it runs on. Nobody could reach it meanwhile, so their silence says nothing; otherwise everything would be STALE
 * in the moment in which it goes on.
 */
export function createPresenceClock({ monotonicMs, every }: Needs): PresenceClock {
  let beatAtMs = monotonicMs()
  let stoppedMs = 0

  function beat(): number {
    const nowMs = monotonicMs()
    if (nowMs - beatAtMs > STOPPED_MS) stoppedMs += nowMs - beatAtMs - BEAT_MS
    beatAtMs = nowMs
    return nowMs - stoppedMs
  }

  return { presentMs: beat, stop: every(BEAT_MS, beat) }
}
