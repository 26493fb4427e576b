const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long something lasts, in its largest unit or two: `45 s`, `3 min`, `2 h 5 min`, `12 days`. */
export function durationWords(ms: number): string {
  const rest = Math.max(0, ms)
  if (rest < 90 * SECOND) return `${Math.floor(rest / SECOND)} s`
  if (rest < 90 * MINUTE) return `${Math.floor(rest / MINUTE)} min`
  if (rest < DAY) return twoUnits(rest, HOUR, 'h', MINUTE, 'min')
  if (rest < 14 * DAY) return twoUnits(rest, DAY, rest < 2 * DAY ? 'day' : 'days', HOUR, 'h')
  return `${Math.floor(rest / DAY)} days`
}

function twoUnits(ms: number, large: number, largeWord: string, small: number, smallWord: string): string {
  const smalls = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${largeWord}${smalls === 0 ? '' : ` ${smalls} ${smallWord}`}`
}

export function agoWords(ms: number): string {
  return ms < 2 * SECOND ? 'just now' : `${durationWords(ms)} ago`
}

/** As people here read it, to the second, with the zone where that is asked for. */
export function localTime(epochMs: number, { withZone = false }: { withZone?: boolean } = {}): string {
  const date = new Date(epochMs)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
  return `${day} ${time}${withZone ? ` ${zoneOf(date)}` : ''}`
}

export function utcTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

function zoneOf(date: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
}
