import type { HostClock } from './host-snapshot.ts'

// The clocks of file systems lag behind the host's own by up to a jiffy (10 ms), those of network file systems by more.
export const MARGIN_NS = 1_000_000_000n

/** Why times of a host cannot be compared with times of before; null when nobody has set its clock in between. */
export function whyClockBroke(before: HostClock, after: HostClock): string | null {
  if (before.bootId !== after.bootId) return 'the host was restarted meanwhile'
  const passed = after.boottime - before.boottime
  if (passed < 0n || distance(passed, after.realtime - before.realtime) > MARGIN_NS)
    return "the host's clock was set meanwhile"
  return null
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a
}
