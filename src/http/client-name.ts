/**
 * Who sent a request, for the log: the place that our reporter runs in, otherwise the name of the program.
 *
 *     gitops-status/0.1.0 (Woodpecker)   Woodpecker
 *     curl/8.5.0                         curl
 */
export function clientName(userAgent: string | undefined): string {
  const [, comment] = /^gitops-status\/\S{1,40} \(([^()]{1,40})\)/.exec(userAgent ?? '') ?? []
  const [product] = /^[A-Za-z0-9._-]{1,40}/.exec(userAgent ?? '') ?? []
  return (comment ?? product ?? '').replace(/[^\x20-\x7e]/g, '').trim() || 'unknown client'
}
