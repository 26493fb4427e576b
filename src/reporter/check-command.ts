import { resolve } from 'node:path'
import type { ReportBody } from '../contract/report.ts'
import { type CheckResult, runDriftCheck } from '../drift/drift-check.ts'
import { withMinCoverage } from '../drift/min-coverage.ts'
import { fingerprintMark } from '../redaction/fingerprint.ts'
import { plainMark } from '../redaction/redact.ts'
import type { Origin } from './ci.ts'
import { type Console, printableJson } from './console.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { painter, plan } from './plan.ts'
import { type ReportContext, reportBody } from './report-body.ts'
import type { Settings } from './settings.ts'

export interface CommandContext {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly origin: Origin
  readonly console: Console
  readonly signal: AbortSignal
}

/** `gitops-status check`: shows how the servers differ from Git, and sends nothing. */
export async function checkCommand(context: CommandContext): Promise<ExitCode> {
  const { settings, console } = context
  const result = await runCheck(context)
  showOutput(result, context)

  if (settings.output === 'json') {
    console.out(printableJson({ reports: reportBodies(result, context), error: result.error }))
  } else {
    showPlan(result, context)
  }
  return exitCodeOf(result, settings)
}

export async function runCheck(context: CommandContext): Promise<CheckResult> {
  const { settings } = context
  const result = await runDriftCheck(checkRequest(context))
  return { ...result, verdicts: result.verdicts.map((verdict) => withMinCoverage(verdict, settings.minCoverage)) }
}

/** What is checked, and how: the same for one check and for a watch. */
export function checkRequest({ settings, env, directory, signal }: CommandContext) {
  return {
    directory,
    playbook: resolve(directory, settings.playbook),
    inventory: settings.inventory,
    onlyHost: settings.onlyHost,
    ansibleArgs: settings.ansibleArgs,
    timeoutMs: settings.timeoutMs,
    privateKey: settings.privateKey,
    knownHosts: settings.knownHosts,
    env,
    passEnv: settings.passEnv,
    fast: settings.fast,
    withTexts: settings.diff,
    signal,
  }
}

export function reportBodies(result: CheckResult, context: CommandContext): ReportBody[] {
  const { startedAt, durationMs, verdicts } = result
  const reported = reportContext(context)
  return verdicts.map((verdict) => reportBody(verdict, { ...reported, startedAt, durationMs }))
}

/** What all reports of a run have in common. */
export function reportContext({
  settings,
  directory,
  origin,
}: Pick<CommandContext, 'settings' | 'directory' | 'origin'>): Omit<ReportContext, 'startedAt' | 'durationMs'> {
  const repo = settings.repo ?? directory.split('/').findLast((part) => part !== '') ?? 'repository'
  const { intervalSeconds, diffKey } = settings
  return { repo, intervalSeconds, origin, mark: diffKey === null ? plainMark : fingerprintMark(diffKey, repo) }
}

export function showPlan({ verdicts, error }: CheckResult, { settings, console }: CommandContext): void {
  if (error !== null) console.err(`${error.code}: ${error.message}`)
  const quiet = settings.quiet && verdicts.every(({ status }) => status === 'SYNCED')
  if (verdicts.length > 0 && !quiet) console.out(plan(verdicts, painter(settings.color)))
}

/** Ansible's own output goes to people only, and only when they ask for it. */
export function showOutput({ output, notes }: CheckResult, { settings, console }: CommandContext): void {
  if (!settings.quiet) for (const note of notes) console.err(note)
  if (settings.verbose && output.trim() !== '') console.err(harmless(output))
}

export function exitCodeOf({ verdicts, error }: CheckResult, settings: Settings): ExitCode {
  if (error !== null || verdicts.length === 0) return EXIT.unknown
  if (verdicts.some(({ status }) => status === 'UNKNOWN')) return EXIT.unknown
  const drifted = verdicts.some(({ status }) => status === 'OUT_OF_SYNC')
  return drifted && settings.detailedExitcode ? EXIT.drift : EXIT.ok
}

// It may print file names and contents of servers: nothing of that may reach a terminal as a command.
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  )
}
