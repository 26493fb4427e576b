import { createContext, useContext } from 'react'
import { useFleet } from '../live/use-fleet.ts'
import { useNow } from './clock.ts'
import { agoWords, beforeWords, timeWords, zoneWords } from './time-words.ts'
import { useZone } from './zone.ts'

interface Props {
  /** As the server sent it, or in milliseconds since 1970. */
  readonly at: string | number | null
  readonly unknown?: string
  /**
   * `long`: how long ago, and the time itself. `two-lines`: the same below each other, the zone on hovering only.
   * `time`: the time itself.
   */
  readonly form?: 'long' | 'two-lines' | 'time'
}

/** The moment in the past that is shown; null is now. Within it ages are those of that moment. */
export const ShownMoment = createContext<number | null>(null)

/** How long ago, and when. By the server's clock: a wrong one in this browser must not age what it shows. */
export function Time({ at, unknown = 'not known', form = 'long' }: Props) {
  const epochMs = typeof at === 'number' ? at : Date.parse(at ?? '')
  const zone = useZone()
  if (Number.isNaN(epochMs)) return <span className="dim">{unknown}</span>
  const words = timeWords(zone, epochMs)
  const inZone = `${words} ${zoneWords(zone, epochMs)}`
  const inUtc = `${timeWords('utc', epochMs)} UTC`
  return (
    <time
      dateTime={new Date(epochMs).toISOString()}
      title={inZone === inUtc ? inUtc : `${inZone}\n${inUtc}`}
      className={form}
    >
      {form !== 'time' && <Ago epochMs={epochMs} />}
      {form !== 'time' && ' '}
      {form === 'long' && <span className="dim">{inZone}</span>}
      {form === 'two-lines' && <span className="dim">{words}</span>}
      {form === 'time' && inZone}
    </time>
  )
}

export function Ago({ epochMs }: { readonly epochMs: number }) {
  const now = useServerNow()
  const at = useContext(ShownMoment)
  return at === null ? agoWords(now - epochMs) : beforeWords(at - epochMs)
}

/** The moment that is shown: now, or one of the past. */
export function useShownNow(): number {
  const now = useServerNow()
  return useContext(ShownMoment) ?? now
}

/** The server's clock, as far as it is known. */
export function useServerNow(): number {
  const now = useNow()
  const { clockAheadMs } = useFleet()
  return now + clockAheadMs
}
