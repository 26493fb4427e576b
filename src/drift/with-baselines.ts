import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { bindingVariables } from './ansible-environment.ts'
import { isFileError, openBaselines } from './baseline/baseline-file.ts'
import { bindingsOf } from './baseline/binding.ts'
import { deployTimes, recordedDeploys } from './baseline/deploys.ts'
import type { GitState } from './baseline/git-state.ts'
import { Untrusted } from './baseline/state-directory.ts'
import { type NamingParts, nameWho } from './blame/name-who.ts'
import { readPeople } from './blame/people.ts'
import { openTrails } from './blame/trail-file.ts'
import { printable } from './check-error.ts'
import { type FastCheckParts, fastCheck, type Note } from './fast-check.ts'
import type { Verdict } from './judge.ts'
import type { KnownHosts } from './known-hosts.ts'

export interface FastSettings {
  /** Where baselines are kept; may be relative to the repository. */
  readonly stateDirectory: string
  /** What seals them; null: a key that is kept beside them. */
  readonly key: string | null
  /** The age at which a full check is due again. */
  readonly fullEveryMs: number
  /** Whether servers are asked who changed their files. */
  readonly blame: boolean
}

/** What of a request the verdict depends on. */
export interface BaselineRequest {
  readonly directory: string
  readonly playbook: string
  readonly inventory: string
  readonly ansibleArgs: readonly string[]
  readonly knownHosts: KnownHosts
  readonly env: Readonly<Record<string, string | undefined>>
  readonly passEnv: readonly string[]
  readonly fast: FastSettings
}

/** Without a place for baselines every host gets the full check, and people are told why. */
export async function checkWithBaselines(
  { hosts, text }: { readonly hosts: readonly string[]; readonly text: string },
  options: Pick<FastCheckParts & NamingParts, 'look' | 'ask' | 'checkFully' | 'hasTime'> & {
    readonly request: BaselineRequest
    readonly git: GitState
    readonly readGit: () => Promise<GitState>
  },
): Promise<{ readonly verdicts: readonly Verdict[]; readonly notes: readonly string[] }> {
  const { request, git, readGit, checkFully } = options
  const parts = baselineParts(text, { request, git, readGit })
  if ('why' in parts) {
    const verdicts = (await checkFully(hosts)).map((verdict) => ({ ...verdict, check: { method: 'full' as const } }))
    return { verdicts, notes: [`No baselines, so every server gets the full check: ${parts.why}`] }
  }
  const startedAt = parts.now()
  const { sighted, notes } = await fastCheck(hosts, { ...options, ...parts })
  const { directory, fast } = request
  const stateDirectory = resolve(directory, fast.stateDirectory)
  const trails = fast.blame
    ? usable(() => openTrails(stateDirectory, { check: checkOf(request), key: parts.baselines.key }))
    : null
  if (trails === null || 'why' in trails) {
    const why = trails === null ? [] : [`Nobody is asked who changed files: ${trails.why}`]
    return { verdicts: sighted.map(({ verdict }) => verdict), notes: [...summed(notes), ...why] }
  }
  const { people, problem } = readPeople(directory)
  const named = await nameWho(sighted, startedAt, {
    ...options,
    trails,
    people,
    deploysOf: (host) => deployTimes(stateDirectory, { repository: git.root, host }),
    now: parts.now,
  })
  const wrong = problem === null ? [] : [printable(problem)]
  return { verdicts: named.verdicts, notes: [...summed([...notes, ...named.notes]), ...wrong] }
}

/** Whose baselines and trails these are. */
function checkOf({ directory, playbook, inventory }: BaselineRequest) {
  return { directory: realpathSync(directory), playbook, inventory }
}

export type BaselineParts = Omit<FastCheckParts, 'look' | 'checkFully' | 'hasTime'>

/**
 * What a fast check takes from Git, from the inventory and from what was certified before; or why there can be no
 * baselines.
 */
export function baselineParts(
  inventoryText: string,
  {
    request,
    git,
    readGit,
  }: { readonly request: BaselineRequest; readonly git: GitState; readonly readGit: () => Promise<GitState> },
): BaselineParts | { readonly why: string } {
  const { directory, playbook, fast } = request
  const stateDirectory = resolve(directory, fast.stateDirectory)
  const baselines = usable(() => openBaselines(stateDirectory, { check: checkOf(request), key: fast.key }))
  if ('why' in baselines) return baselines
  if (git.changes === null) return { why: 'what is not committed cannot be compared' }

  const commit = git.isClean ? git.commit : null
  const facts = {
    commit: git.commit,
    changes: git.changes,
    playbook: `${playbook} ${existsSync(playbook) ? sha256(readFileSync(playbook)) : ''}`,
    inventory: inventoryText,
    ansibleArgs: request.ansibleArgs,
    variables: bindingVariables(request.env, request.passEnv),
    hostKeys: JSON.stringify(request.knownHosts),
  }
  return {
    baselines,
    bindingOf: bindingsOf(facts, baselines.key),
    commit,
    deployOf: (host) => recordedDeploys(stateDirectory, { repository: git.root, host, commit }),
    isGitUnchanged: async () => {
      const now = await readGit()
      return now.commit === git.commit && now.changes === git.changes
    },
    fullEveryMs: fast.fullEveryMs,
    now: () => new Date(),
  }
}

function usable<T>(open: () => T): T | { readonly why: string } {
  try {
    return open()
  } catch (error) {
    if (error instanceof Untrusted || isFileError(error)) return { why: error.message }
    throw error
  }
}

/** One line for all hosts of which the same is to be said. */
export function summed(notes: readonly Note[]): string[] {
  const hosts = new Map<string, string[]>()
  for (const { host, text } of notes) hosts.set(text, [...(hosts.get(text) ?? []), host])
  return [...hosts].map(([text, alike]) => {
    const names = alike.slice(0, MAX_NAMES).map(printable)
    const more = alike.length > names.length ? ` and ${alike.length - names.length} more` : ''
    return `${names.join(', ')}${more}: ${printable(text)}`
  })
}

const MAX_NAMES = 3

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
