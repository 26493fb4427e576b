import { setTimeout as wait } from 'node:timers/promises'
import type { StatusJson } from '../src/contract/status-json.ts'
import type { ReportRequests } from './load/job.ts'
import { lastCheckOf, REPO, serverName } from './load/requests.ts'

// PRODUCT: beyond 1,000 targets a read may be 200 ms late; the rest is for a busy machine.
const PATIENCE_MS = 5_000

/**
 * Whether the server shows what was acknowledged last of every target. A server that answers without storing would be
 * fast. Null when it does; otherwise what is wrong.
 */
export async function missingFrom(
  port: number,
  requests: ReportRequests,
  next: number,
  patienceMs = PATIENCE_MS,
): Promise<string | null> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    const missing = firstMissing(await statusJson(port), requests, next)
    if (missing === null || performance.now() > giveUpAt) return missing
    await wait(50)
  }
}

async function statusJson(port: number, query = ''): Promise<StatusJson> {
  const response = await fetch(`http://127.0.0.1:${port}/status.json${query}`)
  return response.json() as Promise<StatusJson>
}

function firstMissing({ items }: StatusJson, requests: ReportRequests, next: number): string | null {
  const shown = new Map(items.map(({ server, last_check }) => [server, last_check]))
  for (let target = 0; target < requests.targets; target++) {
    const missing = compare(shown.get(serverName(target)), requests, next, target)
    if (missing !== null) return missing
  }
  return null
}

function compare(
  shown: string | null | undefined,
  requests: ReportRequests,
  next: number,
  target: number,
): string | null {
  const newest = newestRequestOf(requests, next, target)
  if (newest === null) return null
  const sent = lastCheckOf(requests.lastCheck, newest)
  return shown === sent ? null : `${serverName(target)} shows ${shown}, and ${sent} was acknowledged`
}

/** The number of the last request that had this target in it; null when none had. */
export function newestRequestOf({ targets, batch }: ReportRequests, next: number, target: number): number | null {
  const size = batch ?? 1
  if (targets % size !== 0) throw new Error(`${targets} targets are no whole number of batches of ${size}`)
  const turns = targets / size
  const turn = Math.floor(target / size)
  const newest = next - 1 - ((((next - 1 - turn) % turns) + turns) % turns)
  return newest < 0 ? null : newest
}

/** For fleets that are too large to be shown at once: whether single targets were heard of since `since`. */
export async function unheardSince(port: number, targets: readonly number[], since: Date): Promise<string | null> {
  for (const target of targets) {
    const { last_check } = await statusJson(port, `?repo=${REPO}&server=${serverName(target)}`)
    if (last_check === null || Date.parse(last_check) < since.getTime() - 1_000) {
      return `${serverName(target)} shows ${last_check}, and a report was acknowledged after ${since.toISOString()}`
    }
  }
  return null
}
