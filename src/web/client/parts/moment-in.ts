/** The moment in the past that an address asks for. What is not one of the past is now: nobody knows what will have been. */
export function momentIn(query: URLSearchParams, now: number): number | null {
  const text = query.get('at')
  if (text === null) return null
  const number = Number(text)
  // Like the server: ten digits are seconds.
  const moment = /^\d+$/.test(text) ? number * (number < 1e11 ? 1_000 : 1) : Date.parse(text)
  return Math.abs(moment) < LAST_MOMENT && moment <= now ? moment : null
}

// No zone moves it past the end of what a Date can hold.
const LAST_MOMENT = 8.64e15 - 86_400_000
