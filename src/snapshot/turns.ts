/** Resolves when it is one's turn. */
export type Turn = () => Promise<void>

/**
 * Turns of the event loop for those who walk through a fleet, one in each of its rounds. `setImmediate` alone would run
 * all of them in the same round, and sixty-four walks at once would hold up everything else as long as one in a piece.
 */
export function createTurns(): Turn {
  const waiting: (() => void)[] = []

  function next(): void {
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(next)
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length === 1) setImmediate(next)
    })
}
