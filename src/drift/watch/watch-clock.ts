/** Time as the watch takes it, so that tests can make it pass. */
export interface WatchClock {
  now(): Date
  /** Nobody sets it; it goes on while we are suspended. */
  monotonicMs(): number
  /** Runs it once; the answer takes it back. */
  after(ms: number, run: () => void): () => void
  /** From 0 to below 1. */
  random(): number
}

export const REAL_CLOCK: WatchClock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}
