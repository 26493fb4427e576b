const LOOK_EVERY_MS = 1_000
// Clocks are set right by less, and steps of a slow machine are shorter.
const JUMP_MS = 3_000
const LONG_STEP_MS = 15_000

/**
 * Tells when time went by in which this program did not run: a lid was closed, a page frozen. The monotonic clock stands
 * still meanwhile on some systems and goes on on others, so both are looked at. Somebody who sets the clock looks the same.
 *
 * @returns how to end it
 */
export function onClockJump(tell: () => void): () => void {
  let wallMs = Date.now()
  let monotonicMs = performance.now()
  const timer = setInterval(() => {
    const wallStepMs = Date.now() - wallMs
    const stepMs = performance.now() - monotonicMs
    wallMs += wallStepMs
    monotonicMs += stepMs
    if (Math.abs(wallStepMs - stepMs) > JUMP_MS || stepMs > LONG_STEP_MS) tell()
  }, LOOK_EVERY_MS)
  return () => clearInterval(timer)
}
