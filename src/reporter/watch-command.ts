import { printable } from '../drift/check-error.ts'
import { withMinCoverage } from '../drift/min-coverage.ts'
import { REAL_CLOCK } from '../drift/watch/watch-clock.ts'
import { watchDrift } from '../drift/watch/watch-drift.ts'
import { checkRequest, reportContext } from './check-command.ts'
import type { Origin } from './ci.ts'
import type { Console } from './console.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { createOutbox } from './outbox.ts'
import { painter } from './plan.ts'
import { isTargetName, reportBody } from './report-body.ts'
import { batchesOf, userAgent } from './report-command.ts'
import { takeRunLock } from './run-lock.ts'
import { send } from './send.ts'
import { createWatchScreen, type Screen } from './watch-screen.ts'
import type { WatchSettings } from './watch-settings.ts'

export interface WatchContext {
  readonly settings: WatchSettings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly origin: Origin
  readonly console: Console
  readonly signal: AbortSignal
  /** Left out where nobody watches a screen. */
  readonly screen?: Screen
}

const DEFAULT_INTERVAL_SECONDS = 120
// Of the interval: what is told at its very end is late.
const HEARTBEAT = 0.75
// Then what is newest by now is sent instead.
const SEND_MS = 10_000
// Whoever ends us waits two seconds.
const LAST_SEND_MS = 1_000

/** `gitops-status watch`: watches the servers until it is ended, and reports what changes. */
export async function watchCommand(context: WatchContext): Promise<ExitCode> {
  const { settings, directory, origin, console, signal, screen } = context
  const lock = await takeRunLock(['watch', directory, settings.playbook, settings.inventory, settings.onlyHost ?? ''])
  if (lock === null) {
    console.err('These servers are watched already; this one leaves them alone.')
    return EXIT.busy
  }
  const intervalMs = (settings.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS) * 1_000
  const shown = createWatchScreen({
    repo: settings.repo,
    console,
    paint: painter(settings.color),
    quiet: settings.quiet,
    ...(screen && { screen }),
  })
  const destination = { serverUrl: settings.serverUrl, token: settings.token, userAgent: userAgent({ origin }) }
  const outbox = createOutbox({
    send: (reports) =>
      send(reports, destination, signal.aborted ? { budgetMs: LAST_SEND_MS } : { budgetMs: SEND_MS, signal }),
    batchesOf,
    heartbeatMs: intervalMs * HEARTBEAT,
    after: REAL_CLOCK.after,
    monotonicMs: REAL_CLOCK.monotonicMs,
    said: shown.said,
  })
  const reported = reportContext(context)
  const unreportable = new Set<string>()
  try {
    const trouble = await watchDrift(
      {
        ...checkRequest(context),
        fast: settings.fast,
        lookEveryMs: settings.lookEveryMs,
        reportEveryMs: intervalMs,
        pull: settings.pull,
      },
      {
        told({ verdict: found, lookedAt, commit }) {
          const verdict = withMinCoverage(found, settings.minCoverage)
          shown.told(verdict, lookedAt)
          if (!isTargetName(verdict.host)) {
            if (!unreportable.has(verdict.host))
              shown.said(
                `✗ ${printable(verdict.host)} is not reported: a server's name is letters, digits and any of . _ - / : @`,
              )
            unreportable.add(verdict.host)
            return
          }
          const revision = origin.revision ?? (commit === null ? undefined : { commit })
          outbox.put(
            reportBody(verdict, {
              ...reported,
              origin: { ...origin, ...(revision && { revision }) },
              startedAt: lookedAt,
              isExact: true,
            }),
          )
        },
        said: shown.said,
        left(host) {
          shown.left(host)
          outbox.forget(host)
        },
        begun: shown.begun,
      },
    )
    if (trouble === null) return EXIT.ok
    console.err(`✗ ${trouble}`)
    return EXIT.unknown
  } finally {
    shown.stop()
    await outbox.stop()
    lock.release()
  }
}
