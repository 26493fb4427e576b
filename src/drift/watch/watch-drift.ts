import { resolve } from 'node:path'
import { changedPart } from '../baseline/binding.ts'
import { type GitState, readGitState } from '../baseline/git-state.ts'
import { type CheckError, checkError } from '../check-error.ts'
import { onlyThe } from '../drift-check.ts'
import { certifiedCheck, whatIsKnown } from '../fast-check.ts'
import {
  ansibleRunner,
  type Directories,
  type FullCheckRequest,
  type FullChecks,
  openFullChecks,
  readSshSettings,
} from '../full-checks.ts'
import { INVENTORY_TIMEOUT_MS, readInventory } from '../inventory.ts'
import { limitTo } from '../limit-to.ts'
import { inPrivateDirectories, temporaryError } from '../private-directories.ts'
import type { LookRequest } from '../snapshot/host-looks.ts'
import { openHost } from '../snapshot/host-session.ts'
import type { SnapshotResult } from '../snapshot/host-snapshot.ts'
import { createSlots } from '../snapshot/slots.ts'
import { type BaselineParts, baselineParts, type FastSettings, summed } from '../with-baselines.ts'
import { type Batch, createFullCheckQueue } from './full-check-queue.ts'
import { readHead } from './git-head.ts'
import { createHostLine, type HostLine } from './host-line.ts'
import { createHostWatch, type Doing, type HostWatch, type Told } from './host-watch.ts'
import { createPull } from './pull.ts'
import { REAL_CLOCK } from './watch-clock.ts'

export interface WatchRequest extends FullCheckRequest {
  /** The one host to watch; null: every host of the inventory. */
  readonly onlyHost: string | null
  /** Of one run of Ansible. */
  readonly timeoutMs: number
  readonly fast: FastSettings
  /** Between looks; null: as long as does with or without a bell. */
  readonly lookEveryMs: number | null
  /** How often each host is reported at least. */
  readonly reportEveryMs: number
  /** Whether new commits are fetched. */
  readonly pull: boolean
  readonly signal: AbortSignal
}

/** What a watch tells whoever started it, while it goes on. */
export interface WatchListener {
  /** Each time that something is known of a host anew, also when nothing has changed. */
  told(told: Told & { readonly commit: string | null }): void
  /** One line for a person. */
  said(line: string): void
  /** It is watched no longer. */
  left(host: string): void
  /** Called once: what is being done on each host, whenever somebody wants to know. */
  begun(hosts: () => ReadonlyMap<string, Doing>): void
}

// A commit is noticed after so long, what is not committed and the inventory after a minute.
const HEAD_EVERY_MS = 5_000
const SITUATION_EVERY_MS = 60_000
const PULL_EVERY_MS = 60_000
const CONNECT_MS = 15_000
// A host that is out of reach keeps its agent so long after its last look.
const LEASE_SECONDS = 60
// The key is gone when we are.
const KEY_LIFETIME_MS = 3_650 * 86_400_000
// Whoever ends us waits two seconds.
const KILL_AFTER_MS = 1_000
const MIN_REPEAT_MS = 5_000

/**
 * Watches servers until the signal comes: see docs/watch.md. Never rejects for what goes wrong outside.
 * @returns why it could not begin; null when it was told to end
 */
export async function watchDrift(request: WatchRequest, listener: WatchListener): Promise<string | null> {
  return inPrivateDirectories((directories) => watchIn(directories, request, listener)).catch((error: unknown) =>
    inWords(temporaryError(error)),
  )
}

/** What Git and the inventory say at a time, with what follows from it. */
interface Situation {
  readonly hosts: readonly string[]
  readonly git: GitState
  readonly parts: BaselineParts
}

/** Why it is not known, for a person. */
interface Trouble {
  readonly trouble: string
}

function inWords({ code, message }: CheckError): string {
  return `${code}: ${message}`
}

async function watchIn(
  directories: Directories,
  request: WatchRequest,
  listener: WatchListener,
): Promise<string | null> {
  const { signal } = request
  const run = ansibleRunner(request, directories, { killAfterMs: KILL_AFTER_MS })
  const ask = (file: string, args: readonly string[]) => run(file, args, { timeoutMs: INVENTORY_TIMEOUT_MS })
  const readGit = () =>
    readGitState({
      directory: request.directory,
      except: resolve(request.directory, request.fast.stateDirectory),
      run: ask,
    })

  async function readSituation(): Promise<Situation | Trouble> {
    const [listed, git] = await Promise.all([
      readInventory({ inventory: request.inventory, cwd: request.directory, run: ask }),
      readGit(),
    ])
    const expected = onlyThe(request.onlyHost, listed)
    if ('error' in expected) return { trouble: inWords(expected.error) }
    const parts = baselineParts(expected.text, { request, git, readGit })
    if ('why' in parts) return { trouble: `there is no place for baselines: ${parts.why}` }
    return { hosts: expected.hosts, git, parts }
  }

  const [first, ssh] = await Promise.all([readSituation(), readSshSettings(request, directories, ask)])
  if (signal.aborted) return null
  if ('trouble' in first) return first.trouble
  const checks = await openFullChecks(request, { directories, run, ssh, lifetimeMs: KEY_LIFETIME_MS })
  if ('error' in checks) return inWords(checks.error)
  try {
    const fleet = watchFleet(first, { request, checks, directories, listener })
    await keepUp(fleet.become, { request, readSituation, run, said: listener.said })
    await fleet.stop()
    return null
  } finally {
    await checks.close()
  }
}

// ---------------------------------------------------------------- the hosts

function watchFleet(
  first: Situation,
  {
    request,
    checks,
    directories,
    listener,
  }: {
    readonly request: WatchRequest
    readonly checks: FullChecks
    readonly directories: Directories
    readonly listener: WatchListener
  },
) {
  const watched = new Map<string, { readonly line: HostLine; readonly watch: HostWatch }>()
  const slots = createSlots()
  const queue = createFullCheckQueue({ run: checkBatch, clock: REAL_CLOCK })
  const leaseSeconds = LEASE_SECONDS + Math.ceil((request.lookEveryMs ?? 0) / 1_000)
  let situation = first

  function join(host: string): void {
    const line = createHostLine({
      open: (access) => slots.use(() => openHost(access, { ...checks.hostOptions, leaseSeconds }, CONNECT_MS)),
      onBell: () => watch.onBell(),
      onLost: () => watch.onLost(),
    })
    const watch = createHostWatch({
      host,
      line,
      key: situation.parts.baselines.key,
      checkFully: (wish) => queue.ask(host, wish),
      tell: (told) => listener.told({ ...told, commit: situation.git.commit }),
      clock: REAL_CLOCK,
      lookEveryMs: request.lookEveryMs,
      fullEveryMs: request.fast.fullEveryMs,
      reportEveryMs: request.reportEveryMs,
    })
    watched.set(host, { line, watch })
    startAnew(host)
  }

  function leave(host: string): void {
    watched.get(host)?.watch.stop()
    watched.delete(host)
    queue.forget(host)
    listener.left(host)
  }

  function startAnew(host: string): void {
    const { known, notes } = whatIsKnown(host, situation.parts)
    for (const line of summed(notes)) listener.said(line)
    watched.get(host)?.watch.startAnew(known)
  }

  function become(next: Situation): void {
    const before = situation
    situation = next
    for (const host of [...watched.keys()]) if (!next.hosts.includes(host)) leave(host)
    for (const host of next.hosts) {
      if (!watched.has(host)) join(host)
      else if (changedPart(before.parts.bindingOf(host), next.parts.bindingOf(host)) !== null) startAnew(host)
    }
  }

  async function lookAt({ name, access, watched: wanted }: LookRequest): Promise<readonly [string, SnapshotResult]> {
    const line = watched.get(name)?.line
    return [name, line === undefined ? { error: checkError('interrupted') } : await line.look(access, wanted)]
  }

  async function checkBatch(all: Batch): Promise<void> {
    const { parts } = situation
    const hosts = new Map([...all].filter(([host]) => watched.has(host)))
    for (const host of hosts.keys()) watched.get(host)?.watch.fullCheckBegins()
    const startedAt = new Date()
    const deadline = performance.now() + request.timeoutMs
    const remainingMs = () => Math.max(deadline - performance.now(), 1)
    const { sighted, confirmed } = await certifiedCheck(hosts, {
      ...parts,
      look: async (requests) => new Map(await Promise.all(requests.map(lookAt))),
      checkFully: async (names) => {
        const limit = limitTo(names, directories.directory)
        return (await checks.checkFully(names, { limit, timeoutMs: remainingMs() })).verdicts
      },
      hasTime: () => remainingMs() > MIN_REPEAT_MS && !request.signal.aborted,
    })
    for (const { verdict } of sighted) {
      const { host } = verdict
      // Git or the inventory has changed meanwhile: it was told to start anew, and waits for another check.
      if (changedPart(parts.bindingOf(host), situation.parts.bindingOf(host)) !== null) continue
      watched.get(host)?.watch.checked({
        verdict,
        startedAt: verdict.coverage?.fullCheckAt ?? startedAt,
        known: whatIsKnown(host, situation.parts).known,
        confirmed: confirmed.get(host) ?? null,
      })
    }
  }

  for (const host of first.hosts) join(host)
  listener.begun(() => new Map([...watched].map(([host, { watch }]) => [host, watch.doing])))
  return {
    become,
    async stop() {
      for (const { watch } of watched.values()) watch.stop()
      await queue.stop()
    },
  }
}

// ---------------------------------------------------------------- Git and the inventory

/** Until the signal comes: looks for another commit, other changes and another inventory. */
async function keepUp(
  become: (next: Situation) => void,
  {
    request: { directory, pull, signal },
    readSituation,
    run,
    said,
  }: {
    readonly request: WatchRequest
    readonly readSituation: () => Promise<Situation | Trouble>
    readonly run: ReturnType<typeof ansibleRunner>
    readonly said: (line: string) => void
  },
): Promise<void> {
  const pullOnce = createPull({ run, said })
  let head = readHead(directory)
  let readAt = performance.now()
  let pulledAt = -Infinity
  let trouble = ''
  while (!signal.aborted) {
    if (pull && performance.now() - pulledAt >= PULL_EVERY_MS) {
      await pullOnce()
      pulledAt = performance.now()
    }
    const headNow = readHead(directory)
    if (headNow !== head || performance.now() - readAt >= SITUATION_EVERY_MS) {
      const next = await readSituation()
      if (signal.aborted) return
      if ('trouble' in next) {
        // What was known of Git stays: a full check says whether it can still be done.
        if (next.trouble !== trouble) said(next.trouble)
        trouble = next.trouble
      } else {
        if (trouble !== '') said('Git and the inventory can be read again')
        trouble = ''
        head = headNow
        become(next)
      }
      readAt = performance.now()
    }
    await untilAborted(HEAD_EVERY_MS, signal)
  }
}

function untilAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
