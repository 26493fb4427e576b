import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../drift/check-error.ts'

export type Failure =
  /** It will not be taken, however often it is sent. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Post<Accepted> {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What it takes out is never repeated in a reason: others echo what they were sent. */
  readonly redact: (text: string) => string
  /** What an answer comes to; null when it is no success. */
  readonly accept: (httpStatus: number, text: string) => Accepted | Failure | null
  readonly reasonIn: (text: string) => string
  /** Who should have answered, for the reasons. */
  readonly whom: string
}

export interface PostOptions {
  /** No attempt begins after this many milliseconds. */
  readonly budgetMs: number
  /** Longest wait before the second attempt. */
  readonly firstWaitMs?: number
  readonly signal?: AbortSignal
  readonly onRetry?: (reason: string, waitMs: number) => void
}

const ATTEMPT_TIMEOUT_MS = 10_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
// The largest answer: a batch with warnings for each of its reports.
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Repeats what may pass by itself (no connection, 408, 429, 5xx) with growing, random waits. */
export async function post<Accepted extends object>(
  request: Post<Accepted>,
  { budgetMs, firstWaitMs = FIRST_WAIT_MS, signal, onRetry }: PostOptions,
): Promise<Accepted | Failure> {
  const deadline = performance.now() + budgetMs

  for (let attempt = 0; ; attempt++) {
    const left = deadline - performance.now()
    const outcome = await attemptOnce(request, Math.min(ATTEMPT_TIMEOUT_MS, Math.max(left, 1)), signal)
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

export function describe(failure: Failure): string {
  return failure.kind === 'refused' ? `HTTP ${failure.httpStatus}: ${failure.reason}` : failure.reason
}

type Attempt<Accepted> = Accepted | Failure | { readonly retry: Failure; readonly waitMs?: number }

async function attemptOnce<Accepted>(
  { url, headers, body, redact, accept, reasonIn, whom }: Post<Accepted>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Attempt<Accepted>> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      // A redirect would carry the token and the report to somewhere that nobody configured.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(Math.ceil(timeoutMs)), ...(signal ? [signal] : [])]),
    })
    text = await readText(response)
  } catch (error) {
    const failed = { kind: 'failed', reason: redact(networkReason(error, whom)) } as const
    return speaksNoTls(error)
      ? { ...failed, reason: `${whom} speaks no TLS: http:// instead of https://?` }
      : { retry: failed }
  }

  const { status } = response
  const accepted = accept(status, text)
  if (accepted !== null) return accepted
  // Before the reason is cut, which would leave a part of a secret, and after, when JSON has been read.
  const refused = { kind: 'refused', httpStatus: status, reason: redact(reasonIn(redact(text))) } as const
  if (status !== 408 && status !== 429 && status < 500) return refused
  return { retry: refused, ...waitAskedFor(response) }
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

function networkReason(error: unknown, whom: string): string {
  if (!(error instanceof Error)) return 'no connection'
  if (error.name === 'TimeoutError') return `${whom} did not answer in time`
  const cause = error.cause instanceof Error ? error.cause : error
  return printable(cause.message || ('code' in cause ? String(cause.code) : cause.name))
}
