export interface Clocks {
  readonly now: () => Date
  /** Milliseconds by a clock that only ever goes forward, at the same pace whatever is done to the other one. */
  readonly monotonicMs: () => number
}

// Corrections that a time service makes in one step on a healthy machine stay well below this.
const TOLERANCE_MS = 1_000

/**
 * The time as this server tells it: the machine's clock, which never goes back while the server runs.
 *
 * Reports are ordered by their arrival, among other things. When somebody sets the machine's clock back by two hours,
 * every report of those two hours would seem to come before the ones that are held, or from the future, and nothing new
 * would be shown. Instead the server goes on at the pace of the monotonic clock until the other one has caught up.
 *
 * @param onSetBack Told once each time, with how far in milliseconds.
 */
export function createServerClock({ now, monotonicMs }: Clocks, onSetBack: (byMs: number) => void): () => Date {
  let anchorMs = now().getTime()
  let anchoredAtMs = monotonicMs()
  let newestMs = anchorMs
  let isSetBack = false

  return () => {
    const machineMs = now().getTime()
    const steadyMs = anchorMs + monotonicMs() - anchoredAtMs
    const byMs = steadyMs - machineMs
    if (byMs <= TOLERANCE_MS) {
      anchorMs = machineMs
      anchoredAtMs = monotonicMs()
      isSetBack = false
    } else if (!isSetBack) {
      isSetBack = true
      onSetBack(Math.round(byMs))
    }
    newestMs = Math.max(newestMs, Math.floor(isSetBack ? steadyMs : machineMs))
    return new Date(newestMs)
  }
}
