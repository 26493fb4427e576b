import { useNow } from './clock.ts'
import { zoneWords } from './time-words.ts'
import { chooseZone, useZone } from './zone.ts'

/** In which zone times are told, and the other one. */
export function ZoneButton() {
  const zone = useZone()
  const now = useNow()
  const other = zone === 'utc' ? 'local' : 'utc'
  const words = zone === 'utc' ? 'UTC' : `local: ${zoneWords('local', now)}`
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => chooseZone(other)}
      title={`Times are ${words}. Change to ${other === 'utc' ? 'UTC' : 'local'}`}
    >
      <span aria-hidden="true">◷ </span>
      Times: {zone === 'utc' ? 'UTC' : 'local'}
    </button>
  )
}
