import { useFleet } from '../live/use-fleet.ts'
import { useNow } from './clock.ts'
import { agoWords, localTime, utcTime } from './time-words.ts'

interface Props {
  /** As the server sent it. */
  readonly at: string | null
  readonly unknown?: string
  /** Also show the time itself, not only on hovering. */
  readonly isLong?: boolean
}

/** How long ago, and when. By the server's clock: a wrong one in this browser must not age what it shows. */
export function Time({ at, unknown = 'not known', isLong = false }: Props) {
  const now = useServerNow()
  const epochMs = at === null ? Number.NaN : Date.parse(at)
  if (Number.isNaN(epochMs)) return <span className="dim">{unknown}</span>
  return (
    <time
      dateTime={new Date(epochMs).toISOString()}
      title={`${localTime(epochMs, { withZone: true })}\n${utcTime(epochMs)}`}
    >
      {agoWords(now - epochMs)}
      {isLong && <span className="dim"> {localTime(epochMs)}</span>}
    </time>
  )
}

/** The server's clock, as far as it is known. */
export function useServerNow(): number {
  const now = useNow()
  const { clockAheadMs } = useFleet()
  return now + clockAheadMs
}
