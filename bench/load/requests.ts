import type { LastCheck, PushRequests, ReadRequests, ReportRequests, Requests } from './job.ts'

/** Writes the n-th request into a buffer of its own, which is used again for the next one of the same connection. */
export type Writer = (n: number) => Buffer

/** One writer for each connection. */
export function createWriter(requests: Requests): Writer {
  switch (requests.kind) {
    case 'report':
      return reports(requests)
    case 'push':
      return pushes(requests)
    case 'read':
      return reads(requests)
  }
}

/** Names have one length, so that a request is built once and only its digits are written anew. */
export function serverName(target: number): string {
  return `server-${String(target).padStart(7, '0')}`
}

/** RFC 3339 to the second, as the requirement writes it. */
export function lastCheckOf(lastCheck: LastCheck, n: number): string {
  const ms = lastCheck === 'now' ? Date.now() : (lastCheck.from + n) * 1_000
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

export const REPO = 'rsyslog'

/** The requirement's OUT_OF_SYNC example. */
function reportBody(server: string, lastCheck: string): string {
  return JSON.stringify({
    repo: REPO,
    server,
    sync_status: 'OUT_OF_SYNC',
    drift_count: 2,
    files: [{ name: 'rsyslog.conf' }, { name: 'rsyslog.d/30-lab.conf' }],
    last_check: lastCheck,
  })
}

// What is written anew in each request. Neither occurs in a request otherwise.
const SERVER = serverName(9_999_999)
const TIME = '9999-12-31T23:59:59Z'
const SECONDS = '9999999999'

// Buffers of each connection whose names stand already: enough that the turns of a thousand targets in batches of a
// hundred need none written again, which would cost the generator more than sending them.
const KEPT = 16

function reports({ targets, batch, lastCheck }: ReportRequests): Writer {
  const size = batch ?? 1
  const one = reportBody(SERVER, TIME)
  const body = batch === null ? one : `[${Array.from({ length: size }, () => one).join(',')}]`
  const empty = requestOf('POST', '/api/status', { 'Content-Type': 'application/json' }, body)
  const servers = placesOf(empty, SERVER)
  const times = placesOf(empty, TIME)
  const kept: { readonly request: Buffer; holds: number }[] = []

  function requestFrom(firstTarget: number): Buffer {
    const index = (firstTarget / size) % KEPT
    kept[index] ??= { request: Buffer.from(empty), holds: -1 }
    const one = kept[index]
    if (one.holds !== firstTarget) {
      servers.forEach((place, nth) => {
        one.request.write(serverName((firstTarget + nth) % targets), place, 'latin1')
      })
      one.holds = firstTarget
    }
    return one.request
  }

  return (n) => {
    const request = requestFrom((n * size) % targets)
    const time = Buffer.from(lastCheckOf(lastCheck, n), 'latin1')
    for (const place of times) request.set(time, place)
    return request
  }
}

function pushes({ targets, lastCheck }: PushRequests): Writer {
  const body = [
    '# TYPE gitops_sync_status gauge',
    'gitops_sync_status 1',
    '# TYPE gitops_drift_count gauge',
    'gitops_drift_count 2',
    '# TYPE gitops_last_check_timestamp_seconds gauge',
    `gitops_last_check_timestamp_seconds ${SECONDS}`,
    '',
  ].join('\n')
  const path = `/metrics/job/gitops_status/repo/${REPO}/server/${SERVER}`
  const request = requestOf('PUT', path, { 'Content-Type': 'text/plain; version=0.0.4' }, body)
  const [server = 0] = placesOf(request, SERVER)
  const [seconds = 0] = placesOf(request, SECONDS)

  return (n) => {
    request.write(serverName(n % targets), server, 'latin1')
    request.write(String(Date.parse(lastCheckOf(lastCheck, n)) / 1_000), seconds, 'latin1')
    return request
  }
}

function reads({ path }: ReadRequests): Writer {
  const request = requestOf('GET', path, { 'Accept-Encoding': 'gzip' })
  return () => request
}

function requestOf(method: string, path: string, headers: Readonly<Record<string, string>>, body = ''): Buffer {
  const all = { Host: '127.0.0.1', ...headers, ...(body && { 'Content-Length': Buffer.byteLength(body) }) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`, 'latin1')
}

function placesOf(request: Buffer, text: string): number[] {
  const places: number[] = []
  for (let at = request.indexOf(text); at !== -1; at = request.indexOf(text, at + 1)) places.push(at)
  return places
}
