/**
 * Who sent a request, for the log: the place that our reporter runs in, otherwise the name of the program.
 *
 *     gitops-status/0.1.0 (Woodpecker)   Woodpecker
 *     curl/8.5.0                         curl
 */
export function clientName(userAgent: string | undefined): string {
  if (userAgent !== latest.userAgent) latest = { userAgent, name: readName(userAgent) }
  return latest.name
}

// Most requests come from the same program as the one before.
let latest = { userAgent: undefined as string | undefined, name: readName(undefined) }

function readName(userAgent: string | undefined): string {
  const [, comment] = /^gitops-status\/\S{1,40} \(([^()]{1,40})\)/.exec(userAgent ?? '') ?? []
  const [product] = /^[A-Za-z0-9._-]{1,40}/.exec(userAgent ?? '') ?? []
  return (comment ?? product ?? '').replace(/[^\x20-\x7e]/g, '').trim() || 'unknown client'
}
