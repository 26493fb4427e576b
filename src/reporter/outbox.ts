import type { ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import { describe } from './post.ts'
import type { Delivery } from './send.ts'

export interface Outbox {
  /** What is known of a server now. Sent at once when it says something new, else when it is due. */
  put(report: ReportBody): void
  /** Nothing more is known of it. */
  forget(server: string): void
  /** Sends what is new, if that is quickly done, and then nothing more. */
  stop(): Promise<void>
}

export interface OutboxParts {
  readonly send: (reports: readonly ReportBody[]) => Promise<Delivery>
  /** Parts of a size that the server takes at once. */
  readonly batchesOf: (reports: readonly ReportBody[]) => Iterable<readonly ReportBody[]>
  readonly heartbeatMs: number
  /** Runs it once; the answer takes it back. */
  readonly after: (ms: number, run: () => void) => () => void
  readonly monotonicMs: () => number
  /** One line for a person. */
  readonly said: (line: string) => void
}

interface Entry {
  newest: ReportBody
  /** Null: nothing was delivered yet. */
  sent: { readonly content: string; readonly lastCheck: string; readonly atMs: number } | null
}

// What happens on several servers in one moment goes in one request.
const GATHER_MS = 5
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000
const LOOK_FOR_DUE_MS = 1_000

/**
 * Reports on their way. Of each server only the newest is kept, so that a status server that was away for hours is told
 * what is, and not all that was; each says when it was true.
 */
export function createOutbox(parts: OutboxParts): Outbox {
  const { send, batchesOf, heartbeatMs, after, monotonicMs, said } = parts
  const entries = new Map<string, Entry>()
  let sending: Promise<void> | null = null
  let isStopped = false
  let isEnded = false
  let failures = 0
  let cancel = after(LOOK_FOR_DUE_MS, lookForDue)
  let isGathering = false

  function lookForDue(): void {
    cancel = after(LOOK_FOR_DUE_MS, lookForDue)
    if (failures === 0) void flush()
  }

  function isDue({ newest, sent }: Entry): boolean {
    if (sent === null || contentOf(newest) !== sent.content) return true
    // Without a later look there is nothing to say: that becomes stale is the truth.
    return newest.last_check !== sent.lastCheck && monotonicMs() - sent.atMs >= heartbeatMs
  }

  function flush(): Promise<void> {
    if (isEnded) return Promise.resolve()
    sending ??= sendAll().finally(() => {
      sending = null
    })
    return sending
  }

  async function sendAll(): Promise<void> {
    for (;;) {
      const due = [...entries.values()].filter(isDue).map(({ newest }) => newest)
      if (due.length === 0) return
      for (const batch of batchesOf(due)) if (!(await deliver(batch))) return
    }
  }

  async function deliver(batch: readonly ReportBody[]): Promise<boolean> {
    const delivery = await send(batch)
    if (delivery.kind === 'delivered') {
      if (failures > 0) said(`✓ Status update successful (HTTP ${delivery.httpStatus})`)
      failures = 0
      for (const report of batch) settle(report)
      for (const warning of new Set(delivery.answers.flatMap(({ warnings }) => warnings.map(printable))))
        said(`Warning: ${warning}`)
      return true
    }
    if (delivery.kind === 'refused' && delivery.httpStatus < 500 && batch.length > 1) {
      // One of them is refused, and the others with it.
      for (const report of batch) if (!(await deliver([report]))) return false
      return true
    }
    if (failures === 0) said(`✗ Status update failed (${describe(delivery)})`)
    if (
      delivery.kind === 'refused' &&
      delivery.httpStatus < 500 &&
      ![408, 429, 401, 403].includes(delivery.httpStatus)
    ) {
      // It will not be taken, however often it is sent.
      for (const report of batch) settle(report)
      return true
    }
    failures += 1
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
    if (!isStopped) {
      after(waitMs * (0.5 + Math.random() / 2), () => void flush())
    }
    return false
  }

  function settle(report: ReportBody): void {
    const entry = entries.get(report.server)
    if (entry === undefined) return
    entry.sent = { content: contentOf(report), lastCheck: report.last_check, atMs: monotonicMs() }
  }

  return {
    put(report) {
      const entry = entries.get(report.server)
      if (entry === undefined) entries.set(report.server, { newest: report, sent: null })
      else entry.newest = report
      if (
        isStopped ||
        isGathering ||
        failures > 0 ||
        !isDue(entries.get(report.server) ?? { newest: report, sent: null })
      )
        return
      isGathering = true
      after(GATHER_MS, () => {
        isGathering = false
        void flush()
      })
    },
    forget: (server) => void entries.delete(server),
    async stop() {
      isStopped = true
      cancel()
      // What is under way now is cut short; then once more with what is newest.
      await sending
      await flush()
      isEnded = true
    },
  }
}

/** What a report says besides when. */
function contentOf({ last_check: _, duration_ms: _ms, coverage, check, ...report }: ReportBody): string {
  const { full_check_at: _at, ...counts } = coverage ?? {}
  return JSON.stringify([report, counts, check?.disagreement ?? null])
}
