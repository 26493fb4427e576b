import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { childEnvironment } from '../drift/ansible-environment.ts'
import { type CheckError, hintFor, printable } from '../drift/check-error.ts'
import { COMMITTED_KNOWN_HOSTS } from '../drift/known-hosts.ts'
import { runCommand } from '../drift/run-command.ts'
import { type CommandContext, runCheck } from './check-command.ts'
import { printableJson } from './console.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { painter } from './plan.ts'
import { basicAuth } from './pushgateway.ts'
import { VERSION } from './version.ts'

type Finding = {
  readonly what: string
  readonly outcome: 'ok' | 'wrong' | 'skipped'
  readonly detail: string
  readonly hint?: string
}

// The server refuses reports from further ahead than this; doctor speaks up long before.
const SKEW_REFUSED_MS = 5 * 60_000
const SKEW_NOTICED_MS = 30_000
const REQUEST_TIMEOUT_MS = 10_000

/** `gitops-status doctor`: tries everything that a report needs, one by one, and says what to do about what fails. */
export async function doctorCommand(context: CommandContext): Promise<ExitCode> {
  const { settings, console } = context
  const findings: Finding[] = []
  for (const examine of [names, statusServer, pushgateway, ansible, playbook, hostKeys, servers]) {
    findings.push(...(await examine(context)))
    if (context.signal.aborted) return EXIT.unknown
  }

  if (settings.output === 'json') console.out(printableJson({ findings }))
  else for (const finding of findings) showFinding(finding, context)
  return findings.some(({ outcome }) => outcome === 'wrong') ? EXIT.unknown : EXIT.ok
}

function showFinding({ what, outcome, detail, hint }: Finding, { settings, console }: CommandContext): void {
  if (settings.quiet && outcome !== 'wrong') return
  const paint = painter(settings.color)
  const mark = { ok: paint('✓', 'green'), wrong: paint('✗', 'red'), skipped: paint('-', 'dim') }[outcome]
  console.out(`${mark} ${what}: ${detail}`)
  if (hint !== undefined) console.out(paint(`    → ${hint}`, 'dim'))
}

function names({ settings }: CommandContext): Finding[] {
  return [
    settings.repo === null
      ? { what: 'REPO_NAME', outcome: 'wrong', detail: 'is not set', hint: 'Set it to the name of this repository' }
      : { what: 'REPO_NAME', outcome: 'ok', detail: settings.repo },
    {
      what: 'SERVER_NAME',
      outcome: 'ok',
      detail: settings.onlyHost ?? 'not set: every host of the inventory is reported under its own name',
    },
  ]
}

async function statusServer({ settings, signal }: CommandContext): Promise<Finding[]> {
  const { serverUrl, token } = settings
  const what = 'Status server'
  if (serverUrl === null) return [{ what, outcome: 'wrong', detail: 'GITOPS_STATUS_SERVER_URL is not set' }]

  const request = (path: string, init: RequestInit) =>
    fetch(serverUrl + path, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    })
  try {
    const health = await request('/healthz', {})
    const here = Date.now()
    await health.body?.cancel()
    if (health.status !== 200)
      return [{ what, outcome: 'wrong', detail: `${serverUrl}/healthz answers HTTP ${health.status}` }]

    // An empty batch is refused (422), but only after the token was looked at: nothing is reported by asking.
    const probe = await request('/api/status', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `gitops-status/${VERSION} (doctor)`,
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: '[]',
    })
    await probe.body?.cancel()
    return [{ what, outcome: 'ok', detail: serverUrl }, tokenFinding(probe.status, token), clockFinding(health, here)]
  } catch (error) {
    return [noAnswer(what, serverUrl, error)]
  }
}

/** Asks whether it is there; what it takes is only known by pushing. */
async function pushgateway({ settings, signal }: CommandContext): Promise<Finding[]> {
  if (settings.pushgateway === null) return []
  const { url, auth } = settings.pushgateway
  const what = 'Pushgateway'
  try {
    const response = await fetch(`${url}/-/ready`, {
      redirect: 'manual',
      headers: auth === null ? {} : basicAuth(auth),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    return response.status === 200
      ? [{ what, outcome: 'ok', detail: url }]
      : [{ what, outcome: 'wrong', detail: `${url}/-/ready answers HTTP ${response.status}` }]
  } catch (error) {
    return [noAnswer(what, url, error)]
  }
}

function noAnswer(what: string, url: string, error: unknown): Finding {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return { what, outcome: 'wrong', detail: `${url} does not answer: ${printable(String(cause))}` }
}

function tokenFinding(status: number, token: string | null): Finding {
  const what = 'Token'
  if (status === 401 || status === 403) {
    const detail = token === null ? 'the server asks for one' : `the server does not take it (HTTP ${status})`
    return { what, outcome: 'wrong', detail, hint: 'Set GITOPS_STATUS_TOKEN or GITOPS_STATUS_TOKEN_FILE' }
  }
  if (status !== 422)
    return { what, outcome: 'wrong', detail: `POST /api/status answers HTTP ${status} where 422 is due` }
  return { what, outcome: 'ok', detail: token === null ? 'none set, and the server asks for none' : 'accepted' }
}

function clockFinding(response: Response, here: number): Finding {
  const what = 'Clock'
  const there = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(there)) return { what, outcome: 'skipped', detail: 'the server does not tell its time' }
  const aheadMs = here - there // the header has whole seconds
  const detail = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} the server's`
  const outcome = Math.abs(aheadMs) > SKEW_NOTICED_MS ? 'wrong' : 'ok'
  const hint =
    aheadMs > SKEW_REFUSED_MS ? 'Its reports are refused as coming from the future; set the clock' : 'Set the clock'
  return { what, outcome, detail, ...(outcome === 'wrong' && { hint }) }
}

async function ansible({ env, directory, signal }: CommandContext): Promise<Finding[]> {
  const { ending, stdout } = await runCommand({
    file: 'ansible-playbook',
    args: ['--version'],
    cwd: directory,
    env: childEnvironment(env),
    timeoutMs: REQUEST_TIMEOUT_MS * 3,
    signal,
  })
  const what = 'Ansible'
  if (ending.kind !== 'exited' || ending.code !== 0) {
    return [{ what, outcome: 'wrong', detail: 'ansible-playbook does not run', hint: hintFor('ansible_missing') }]
  }
  return [{ what, outcome: 'ok', detail: printable(stdout.split('\n')[0] ?? '') }]
}

function playbook({ settings, directory }: CommandContext): Finding[] {
  const file = resolve(directory, settings.playbook)
  return [
    existsSync(file)
      ? { what: 'Playbook', outcome: 'ok', detail: settings.playbook }
      : { what: 'Playbook', outcome: 'wrong', detail: `${file} does not exist`, hint: hintFor('playbook_missing') },
  ]
}

function hostKeys({ settings, directory }: CommandContext): Finding[] {
  const what = 'Host keys'
  const { text, file } = settings.knownHosts
  if (text !== null) return [{ what, outcome: 'ok', detail: 'from SSH_KNOWN_HOSTS' }]
  const chosen = resolve(directory, file ?? COMMITTED_KNOWN_HOSTS)
  if (!existsSync(chosen)) {
    return [{ what, outcome: 'skipped', detail: `${chosen} does not exist: over SSH no server will pass` }]
  }
  if (!holdsKeys(readFileSync(chosen, 'utf8'))) {
    return [{ what, outcome: 'wrong', detail: `${chosen} holds no key`, hint: hintFor('host_key_unknown') }]
  }
  return [{ what, outcome: 'ok', detail: `from ${chosen}` }]
}

/** A line that is neither empty nor a comment. */
function holdsKeys(text: string): boolean {
  return /^[ \t]*[^#\s]/m.test(text)
}

/** Connects to each server with the very settings of a check, and does nothing there. */
async function servers(context: CommandContext): Promise<Finding[]> {
  const { settings } = context
  const own = mkdtempSync(join(tmpdir(), 'gitops-status-'))
  try {
    const ping = join(own, 'ping.yml')
    writeFileSync(ping, '- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n')
    const { verdicts, error } = await runCheck({
      ...context,
      settings: { ...settings, playbook: ping, fast: null, minCoverage: null },
    })
    if (error !== null) return [problem('Inventory', error)]
    // A ping compares nothing, so "nothing verified" is how a server that answers ends.
    const findings = verdicts.map(
      ({ host, error: reason }): Finding =>
        reason === null || reason.code === 'nothing_verified'
          ? { what: host, outcome: 'ok', detail: 'answers, and has a Python for Ansible' }
          : problem(host, reason),
    )
    if (verdicts.some(({ error: reason }) => reason?.code === 'host_not_in_inventory')) return findings
    const hosts = verdicts.length === 1 ? 'one host' : `${verdicts.length} hosts`
    return [{ what: 'Inventory', outcome: 'ok', detail: `${settings.inventory}, ${hosts} to check` }, ...findings]
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function problem(what: string, { code, message }: CheckError): Finding {
  return { what, outcome: 'wrong', detail: `${code}: ${message}`, hint: hintFor(code) }
}
