import type { EpochMs } from '../domain/report.ts'

const RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Whether a text is an RFC 3339 time that exists. It is not without a zone, for days and hours that do not exist
 * (2026-02-30, 24:00) and for leap seconds, which no clock here can hold: `Date` would quietly turn each of them into
 * another moment.
 */
export function isTime(text: string): boolean {
  if (!RFC_3339.test(text)) return false
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7)))
}

/** Reads an RFC 3339 time. Null for what is none. */
export function parseTime(text: string): Date | null {
  return isTime(text) ? new Date(text) : null
}

/** RFC 3339 in UTC, to the second: how we write times ourselves. */
export function formatTime(time: Date): string {
  const second = Math.floor(time.getTime() / 1_000)
  if (second !== formatted.second) formatted = { second, text: `${time.toISOString().slice(0, 19)}Z` }
  return formatted.text
}

// Most times that are written within a second are that second.
let formatted = { second: Number.NaN, text: '' }

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000, month, 0)).getUTCDate() - (month === 2 && !isLeapYear(year) ? 1 : 0)
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

/** RFC 3339 in UTC, with the milliseconds where there are any: a time that somebody may ask for again. */
export function formatExactTime(ms: EpochMs): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

// As milliseconds this is March 1973, when nobody reported anything; as seconds it is the year 5138.
const LEAST_MILLISECONDS = 100_000_000_000

/** Reads a time as dashboards send it: RFC 3339, or milliseconds or seconds since 1970. Null for anything else. */
export function parseMoment(text: string): Date | null {
  if (!/^\d{1,15}$/.test(text)) return parseTime(text)
  const number = Number(text)
  return new Date(number < LEAST_MILLISECONDS ? number * 1_000 : number)
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * Reads how long something is, as dashboards write their interval: `30s`, `5m`; a bare number is seconds. Null for
 * anything else.
 */
export function parseDurationMs(text: string): number | null {
  const [, amount, unit = 's'] = /^(\d{1,9})(ms|s|m|h|d|w)?$/.exec(text) ?? []
  return amount === undefined ? null : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS] // the units of the pattern
}
