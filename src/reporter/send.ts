import { setTimeout as sleep } from 'node:timers/promises'
import type { ReportAnswer } from '../contract/answer.ts'
import type { ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import { isRecord, parseJson } from '../drift/untrusted-json.ts'

/** What became of sending. Only a server that says what it did with each report has received them. */
export type Delivery =
  | { readonly kind: 'delivered'; readonly httpStatus: number; readonly answers: readonly ReportAnswer[] }
  /** The server will not take it, however often it is sent. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Destination {
  readonly serverUrl: string
  readonly token: string | null
  readonly userAgent: string
}

export interface SendOptions {
  /** No attempt begins after this many milliseconds. */
  readonly budgetMs: number
  /** Longest wait before the second attempt. */
  readonly firstWaitMs?: number
  readonly signal?: AbortSignal
  readonly onRetry?: (reason: string, waitMs: number) => void
}

export const SEND_BUDGET_MS = 60_000
const ATTEMPT_TIMEOUT_MS = 10_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
// The largest answer: a batch with warnings for each of its reports.
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/**
 * Posts reports: one as an object, as in the requirement, several as one batch. Repeats what may pass by itself (no
 * connection, 408, 429, 5xx) with growing, random waits: the server knows a report again that it has already stored.
 */
export async function send(
  reports: readonly ReportBody[],
  destination: Destination,
  { budgetMs, firstWaitMs = FIRST_WAIT_MS, signal, onRetry }: SendOptions,
): Promise<Delivery> {
  const deadline = performance.now() + budgetMs
  const body = JSON.stringify(reports.length === 1 ? reports[0] : reports)

  for (let attempt = 0; ; attempt++) {
    const left = deadline - performance.now()
    const outcome = await post(
      body,
      reports.length,
      destination,
      Math.min(ATTEMPT_TIMEOUT_MS, Math.max(left, 1)),
      signal,
    )
    if (!('retry' in outcome)) return outcome

    // Full jitter: a fleet whose server was away does not come back all at once.
    // A server that asks for no wait, or a proxy that does for it, is not to be asked without a pause either.
    const ownWait = Math.random() * Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** attempt)
    const wait = Math.max(outcome.waitMs ?? 0, ownWait)
    if (performance.now() + wait >= deadline || signal?.aborted) return outcome.retry
    onRetry?.(describe(outcome.retry), wait)
    await sleep(wait, undefined, signal && { signal }).catch(() => {}) // cut short: the next attempt is the last
  }
}

export function describe(delivery: Exclude<Delivery, { kind: 'delivered' }>): string {
  return delivery.kind === 'refused' ? `HTTP ${delivery.httpStatus}: ${delivery.reason}` : delivery.reason
}

type Attempt = Delivery | { readonly retry: Exclude<Delivery, { kind: 'delivered' }>; readonly waitMs?: number }

async function post(
  body: string,
  count: number,
  { serverUrl, token, userAgent }: Destination,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  let response: Response
  let text: string
  try {
    response = await fetch(`${serverUrl}/api/status`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body,
      // A redirect would carry the token and the report to somewhere that nobody configured.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(Math.ceil(timeoutMs)), ...(signal ? [signal] : [])]),
    })
    text = await readText(response)
  } catch (error) {
    const failed = { kind: 'failed', reason: networkReason(error) } as const
    return speaksNoTls(error)
      ? { ...failed, reason: 'the server speaks no TLS: http:// instead of https://?' }
      : { retry: failed }
  }

  const { status } = response
  if (status === 200) {
    const answers = answersIn(text, count)
    return answers
      ? { kind: 'delivered', httpStatus: status, answers }
      : {
          kind: 'failed',
          reason: 'something other than gitops-status-server answered HTTP 200 (a proxy, a login page?)',
        }
  }
  const refused = {
    kind: 'refused',
    httpStatus: status,
    reason: problemIn(token === null ? text : text.replaceAll(token, '***')),
  } as const
  if (status !== 408 && status !== 429 && status < 500) return refused
  return { retry: refused, ...waitAskedFor(response) }
}

/** The answers to every report that was sent; null when this is not what our server says. */
function answersIn(text: string, count: number): readonly ReportAnswer[] | null {
  const value = parseJson(text)
  const answers = count === 1 ? [value] : isRecord(value) ? value.results : null
  return Array.isArray(answers) && answers.length === count && answers.every(isAnswer) ? answers : null
}

function isAnswer(value: unknown): value is ReportAnswer {
  return (
    isRecord(value) &&
    typeof value.applied === 'boolean' &&
    Array.isArray(value.warnings) &&
    value.warnings.every(isString)
  )
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

/** What a problem document (RFC 9457) says, field by field. */
function problemIn(text: string): string {
  const problem = parseJson(text)
  if (!isRecord(problem)) return 'no reason given'
  const fields = Array.isArray(problem.errors)
    ? problem.errors.filter(isRecord).map(({ field, detail }) => `${field} ${detail}`)
    : []
  return printable([problem.detail ?? problem.title ?? 'no reason given', ...fields].join('; ')).slice(0, 1_000)
}

function waitAskedFor(response: Response): { waitMs: number } | Record<string, never> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? { waitMs: seconds * 1000 } : {}
}

async function readText(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the answer does not end')
  }
  return text
}

/** Trying again does not teach it. */
function speaksNoTls(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_SSL_WRONG_VERSION_NUMBER'
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection'
  if (error.name === 'TimeoutError') return 'the server did not answer in time'
  const cause = error.cause instanceof Error ? error.cause : error
  return printable(cause.message || ('code' in cause ? String(cause.code) : cause.name))
}
