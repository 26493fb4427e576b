import type { ReportBody } from '../contract/report.ts'
import { printable } from '../drift/check-error.ts'
import { WrongSettings } from '../wrong-settings.ts'
import { type CommandContext, exitCodeOf, reportBodies, runCheck, showOutput, showPlan } from './check-command.ts'
import { type Console, printableJson } from './console.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { describe, type PostOptions } from './post.ts'
import { exposition, groupPath, type Push, type Pushgateway, push } from './pushgateway.ts'
import { isTargetName } from './report-body.ts'
import { takeRunLock } from './run-lock.ts'
import { type Delivery, SEND_BUDGET_MS, send } from './send.ts'
import { VERSION } from './version.ts'

// The server takes 1,000 reports and 8 MiB in one request.
const MAX_REPORTS_A_REQUEST = 200
const MAX_BYTES_A_REQUEST = 4 * 1024 * 1024
// Whoever interrupts us is waiting for us to end.
const INTERRUPTED_BUDGET_MS = 4_000

/** `gitops-status report`: runs the check and sends what it found, in the four steps of the requirement. */
export async function reportCommand(context: CommandContext): Promise<ExitCode> {
  const { settings, directory, console, signal } = context
  const missing = [
    ...(settings.repo === null ? ['REPO_NAME is not set: under which name is this repository known?'] : []),
    ...(settings.serverUrl === null && !settings.dryRun ? ['GITOPS_STATUS_SERVER_URL is not set'] : []),
  ]
  if (missing.length > 0) throw new WrongSettings(missing)

  const lock = await takeRunLock([directory, settings.playbook, settings.inventory, settings.onlyHost ?? ''])
  if (lock === null) {
    console.err('Another run of this check is under way; this one leaves it alone.')
    return EXIT.busy
  }
  try {
    const say = progressTo(context)
    const result = await runCheck(context)
    showOutput(result, context)

    say('Step 2/4: Analyzing drift detection results...')
    if (settings.output === 'text') showPlan(result, { ...context, console: { ...console, out: say } })
    else if (result.error !== null) console.err(`${result.error.code}: ${result.error.message}`)

    say('Step 3/4: Building JSON payload...')
    const all = reportBodies(result, context)
    const reports = all.filter(({ server }) => isTargetName(server))
    // The server would refuse the whole batch for it, and with it what is known of the others.
    for (const { server } of all.filter((report) => !reports.includes(report))) {
      console.err(`✗ ${printable(server)} is not reported: a server's name is letters, digits and any of . _ - / : @`)
    }
    if (settings.dryRun) {
      if (reports.length > 0) console.out(printableJson(reports.length === 1 ? reports[0] : reports))
      if (settings.pushgateway !== null) for (const report of reports) showPush(report, settings.pushgateway, console)
      return exitCodeOf(result, settings)
    }
    if (reports.length === 0) {
      if (all.length === 0) console.err('✗ There is nothing to send: it is not known which servers to report.')
      return EXIT.unknown
    }

    say('Step 4/4: Sending status to gitops-status-server...')
    const budgetMs = signal.aborted ? INTERRUPTED_BUDGET_MS : SEND_BUDGET_MS
    // Side by side: neither waits for the other, and what becomes of one says nothing about the other.
    const pushing = pushAll(reports, context, budgetMs)
    const deliveries = await deliver(reports, context, budgetMs)
    for (const delivery of deliveries) sayDelivery(delivery, say, console)
    const pushes = await pushing
    sayPushes(pushes, say, console)
    if (settings.output === 'json') {
      const pushed = settings.pushgateway === null ? {} : { pushes }
      console.out(printableJson({ reports, deliveries, ...pushed, error: result.error }))
    }

    const allDelivered = reports.length === all.length && deliveries.every(({ kind }) => kind === 'delivered')
    if (!allDelivered) return EXIT.notDelivered
    const code = exitCodeOf(result, settings)
    return pushes.every(({ kind }) => kind === 'pushed') || code === EXIT.unknown ? code : EXIT.notPushed
  } finally {
    lock.release()
  }
}

/** Steps are what `report` shows; when standard output carries data for a program, they go to standard error. */
export function progressTo({
  settings,
  console,
}: Pick<CommandContext, 'settings' | 'console'>): (line: string) => void {
  if (settings.quiet) return () => {}
  return settings.dryRun || settings.output === 'json' ? console.err : console.out
}

async function deliver(reports: readonly ReportBody[], context: CommandContext, budgetMs: number): Promise<Delivery[]> {
  const { settings } = context
  const destination = {
    serverUrl: settings.serverUrl ?? '',
    token: settings.token,
    userAgent: userAgent(context),
  }
  const options = optionsUntil(performance.now() + budgetMs, 'Not delivered yet', context)
  const deliveries: Delivery[] = []
  for (const batch of batchesOf(reports)) deliveries.push(await send(batch, destination, options()))
  return deliveries
}

type TargetPush = Push & { readonly server: string }

async function pushAll(
  reports: readonly ReportBody[],
  context: CommandContext,
  budgetMs: number,
): Promise<TargetPush[]> {
  const { pushgateway } = context.settings
  if (pushgateway === null) return []
  const options = optionsUntil(performance.now() + budgetMs, 'Not pushed yet', context)
  const pushes: TargetPush[] = []
  for (const report of reports) {
    const outcome = await push(report, pushgateway, userAgent(context), options())
    pushes.push({ server: report.server, ...outcome })
  }
  return pushes
}

/** All requests of a run share one deadline, so that many of them take no longer than one. */
function optionsUntil(deadline: number, what: string, { console, signal }: CommandContext): () => PostOptions {
  return () => ({
    budgetMs: Math.max(deadline - performance.now(), 1),
    // An interrupted check is told in the time that is left; an interruption while sending ends the retries.
    ...(!signal.aborted && { signal }),
    onRetry: (reason, waitMs) => console.err(`${what} (${reason}); next try in ${(waitMs / 1000).toFixed(1)} s`),
  })
}

export function userAgent({ origin }: Pick<CommandContext, 'origin'>): string {
  return `gitops-status/${VERSION} (${origin.name})`
}

function showPush(report: ReportBody, gateway: Pushgateway, console: Console): void {
  const { repo, server } = report
  console.err(`Would push to ${gateway.url}/metrics${groupPath({ job: gateway.job, repo, instance: server })}`)
  console.err(exposition(report, gateway, 'untyped').trimEnd())
}

export function* batchesOf(reports: readonly ReportBody[]): Generator<ReportBody[]> {
  let batch: ReportBody[] = []
  let bytes = 0
  for (const report of reports) {
    const size = Buffer.byteLength(JSON.stringify(report))
    if (batch.length > 0 && (batch.length === MAX_REPORTS_A_REQUEST || bytes + size > MAX_BYTES_A_REQUEST)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(report)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

function sayDelivery(delivery: Delivery, say: (line: string) => void, console: Console): void {
  if (delivery.kind !== 'delivered') {
    console.err(`✗ Status update failed (${describe(delivery)})`)
    return
  }
  for (const warning of new Set(delivery.answers.flatMap(({ warnings }) => warnings.map(printable))))
    console.err(`Warning: ${warning}`)
  say(`✓ Status update successful (HTTP ${delivery.httpStatus})`)
}

function sayPushes(pushes: readonly TargetPush[], say: (line: string) => void, console: Console): void {
  for (const one of pushes) {
    if (one.kind !== 'pushed') console.err(`✗ Push of ${one.server} to the Pushgateway failed (${describe(one)})`)
  }
  if (pushes.length > 0 && pushes.every(({ kind }) => kind === 'pushed')) say('✓ Pushed to the Pushgateway as well')
}
