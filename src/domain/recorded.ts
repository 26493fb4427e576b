import { type Received, targetKey } from './report.ts'
import { fold, type TargetState } from './target-state.ts'

/** A report that was stored: what was known of its target before it, and what is known now. */
export interface Recorded<Body = unknown> {
  readonly received: Received<Body>
  /** It became its target's newest. One that came late may all the same be the newest finding: compare the states. */
  readonly applied: boolean
  readonly before: TargetState<Body> | undefined
  readonly after: TargetState<Body>
}

/** Takes a report into account in a map by `targetKey`. */
export function recordIn<Body>(states: Map<string, TargetState<Body>>, received: Received<Body>): Recorded<Body> {
  const key = targetKey(received.report.target)
  const before = states.get(key)
  const { state, applied } = fold(before, received)
  states.set(key, state)
  return { received, applied, before, after: state }
}
