const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/

/**
 * Reads an RFC 3339 time. Null for what has no zone, for days and hours that do not exist (2026-02-30, 24:00) and for
 * leap seconds, which no clock here can hold: `Date` would quietly turn each of them into another moment.
 */
export function parseTime(text: string): Date | null {
  const match = RFC_3339.exec(text)
  if (match === null) return null

  const [year, month, day, hour, minute, second, zoneHour, zoneMinute] = match.slice(1).map((part) => Number(part ?? 0))
  if (year === undefined || month === undefined || day === undefined) return null
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return null

  return new Date(text)
}

/** RFC 3339 in UTC, to the second: how we write times ourselves. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000, month, 0)).getUTCDate() - (month === 2 && !isLeapYear(year) ? 1 : 0)
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
