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

/** The same of a moment in the past, which everybody who reads it could take for now. */
export function beforeWords(ms: number): string {
  return Math.abs(ms) < 2 * SECOND
    ? 'at that moment'
    : `${durationWords(Math.abs(ms))} ${ms < 0 ? 'after' : 'before'} that moment`
}

/** In which times are told: this browser's, or UTC as servers write it into their logs. */
export type Zone = 'local' | 'utc'

/** Minutes east of UTC in that moment. */
export function offsetIn(zone: Zone, epochMs: number): number {
  return zone === 'utc' ? 0 : -new Date(epochMs).getTimezoneOffset()
}

/** `2026-04-21 10:30:05`. Without `Intl`, whose formats would take most of the time that a list of targets takes. */
export function timeWords(zone: Zone, epochMs: number): string {
  const there = new Date(epochMs + offsetIn(zone, epochMs) * MINUTE)
  return there.toISOString().slice(0, 19).replace('T', ' ')
}

/** `UTC`, `UTC+02:00`. Not a name: several zones share CST, and summer time changes it. */
export function zoneWords(zone: Zone, epochMs: number): string {
  const offset = offsetIn(zone, epochMs)
  if (offset === 0) return 'UTC'
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
  return `UTC${offset < 0 ? '−' : '+'}${twoDigits(hours)}:${twoDigits(minutes)}`
}

/** The moment that a field of the form `2026-04-21T10:30` or `2026-04-21T10:30:05` names; null when it names none. */
export function momentOf(zone: Zone, text: string): number | null {
  const epochMs = new Date(zone === 'utc' ? `${text}Z` : text).getTime()
  return Number.isNaN(epochMs) ? null : epochMs
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
