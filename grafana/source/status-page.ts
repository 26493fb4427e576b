/** An address that links can begin with. Null when it is none. */
export function statusPageIn(text: string): string | null {
  if (!URL.canParse(text)) return null
  const { protocol, origin, pathname, username, password, search, hash } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:') return null
  // They would be shown to everyone who sees a dashboard, or end up in the middle of a link.
  if (username !== '' || password !== '' || search !== '' || hash !== '') return null
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
