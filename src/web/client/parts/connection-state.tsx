import type { Connection } from '../live/told.ts'
import { useFleet } from '../live/use-fleet.ts'
import { Time } from './time.tsx'

const WORD: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Live, asked every 5 s',
  reconnecting: 'Reconnecting',
  paused: 'Paused',
}

/** How fresh this page itself is. Always to be seen: an old picture must not pass for a new one. */
export function ConnectionState() {
  const { connection, asOf } = useFleet()
  const isLive = connection === 'live' || connection === 'polling'
  return (
    <p className={`connection ${connection}`} role="status">
      <span className="dot" aria-hidden="true" />
      {WORD[connection]}
      {!isLive && asOf !== null && (
        <span className="as-of">
          {' '}
          · data as of <Time at={asOf} form="time" />
        </span>
      )}
    </p>
  )
}
