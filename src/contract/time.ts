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
