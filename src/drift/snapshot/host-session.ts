import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { blameProgram, hostAgent } from '../ansible-parts.ts'
import { type BlameEvidence, parseBlameEvidence } from '../blame/blame-evidence.ts'
import { type CheckError, checkError, printable } from '../check-error.ts'
import { isRecord, parseJson } from '../untrusted-json.ts'
import { AnswerReader } from './answer-reader.ts'
import type { HostAccess } from './host-access.ts'
import type { Path64, SnapshotResult, Watched } from './host-snapshot.ts'
import { maxAnswerBytes, parseSnapshot } from './parse-snapshot.ts'
import { remoteCommand, type SshSettings, sshArguments } from './ssh-command.ts'
import { whyNotOpened } from './why-ended.ts'

export interface HostOptions {
  readonly ssh: SshSettings
  /** Of the ssh process; SSH_AUTH_SOCK is where a key comes from that is in no file. */
  readonly env: Readonly<Record<string, string>>
  /** Where ssh is started: relative paths in the user's ssh arguments count from there. */
  readonly cwd: string
  readonly signal?: AbortSignal
  /** How long a host that is out of reach keeps its agent; 600 s when it is left out. */
  readonly leaseSeconds?: number
}

/**
 * A connection to one host, with our agent at its end.
 *
 * States: open; asked (one question at a time); ended. What ends it: `close`, the signal, a deadline that passes, an
 * answer that is not understood, silence once there is a bell, and the connection itself. Once ended it answers every
 * look with the reason.
 */
export interface HostSession {
  /** Why it has ended; null while it can be asked. */
  readonly ended: CheckError | null
  /** One round trip. Never rejects; after an error other than `look_failed` the session has ended. */
  look(watched: Watched, deadlineMs: number): Promise<SnapshotResult>
  /** What the host has logged about who may have changed some files. Never rejects, and ends the session as a look does. */
  evidence(question: EvidenceQuestion): Promise<EvidenceResult>
  /**
   * Has the host ring whenever something of this may have changed, by inotify. From then on it also gives signs of life,
   * and ends when they stop. Asked again it watches something else. Never rejects.
   */
  watch(
    watched: Watched,
    onBell: (bell: Bell) => void,
    deadlineMs: number,
  ): Promise<Bell | { readonly error: CheckError }>
  /** Calls it when the session has ended; at once when it has. */
  onEnd(act: () => void): void
  /** Ends the agent and the connection. */
  close(): void
}

/** Times are by the host's clock, in seconds since 1970. */
export interface EvidenceQuestion {
  /** No more than `MAX_BLAMED`. */
  readonly paths: readonly Path64[]
  readonly after: number
  readonly before: number
}

export type EvidenceResult = { readonly evidence: BlameEvidence } | { readonly error: CheckError }

/** About so many paths a host is asked at once. */
export const MAX_BLAMED = 200
// The program's own bounds (its MAX_SECONDS, and what two thousand findings of each kind have at the most), and ssh's way.
const EVIDENCE_SECONDS = 10
const EVIDENCE_DEADLINE_MS = 20_000
const MAX_EVIDENCE_BYTES = 8 * 1024 * 1024

/** A hint, and the host's own word: after it a look decides. */
export interface Bell {
  readonly isChanged: boolean
  /** Why not every change rings; null: all that the kernel tells does. */
  readonly why: string | null
}

// A host that is out of reach keeps its agent no longer than this, plus the deadline of what it was asked.
const LEASE_SECONDS = 600
// The agent gives a sign of life every two seconds, also in the middle of a look.
const SILENCE_MS = 8_000
const MAX_BELL_BYTES = 1_024
// The agent rings a hundred times a second at most.
const MAX_BELLS_A_SECOND = 400
const AGENT_BYTES = Buffer.from(hostAgent())
const MAX_SAID_BYTES = 16 * 1024
const MAX_READY_BYTES = 1_024
// What it takes ssh to say goodbye; then it is ended.
const GOODBYE_MS = 2_000

/**
 * Connects by the user's own OpenSSH and starts the agent there; see docs/decisions/020-looks-by-openssh.md. When we
 * die, even by SIGKILL, the pipe to ssh closes, and the agent ends with its input.
 */
export async function openHost(
  access: HostAccess,
  { ssh, env, cwd, signal, leaseSeconds = LEASE_SECONDS }: HostOptions,
  deadlineMs: number,
): Promise<HostSession | { readonly error: CheckError }> {
  const command = remoteCommand(access, AGENT_BYTES.length)
  const args = typeof command === 'string' ? sshArguments(access, ssh, command) : command
  if ('why' in args) return { error: checkError('look_failed', args.why) }
  if (signal?.aborted) return { error: checkError('interrupted') }

  // A session of its own: without a terminal nothing can ask for a password, and a signal reaches its jump hosts.
  const child = spawn('ssh', args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const connection = createConnection(child)
  const onAbort = () => connection.end(checkError('interrupted'))
  signal?.addEventListener('abort', onAbort, { once: true })
  connection.onEnd(() => signal?.removeEventListener('abort', onAbort))

  connection.write(AGENT_BYTES)
  const ready = await connection.ask(`${connection.nonce}\n`, { maxBytes: MAX_READY_BYTES, deadlineMs })
  if ('error' in ready) return ready

  async function ask(question: object, limits: { maxBytes: number; deadlineMs: number }): Promise<Answer> {
    const answer = await connection.ask(requestText(connection.nextId(), question, leaseOf(limits.deadlineMs)), limits)
    const failure = 'error' in answer ? null : failureIn(answer.payload)
    return failure === null ? answer : { error: checkError('look_failed', failure) }
  }
  const leaseOf = (deadlineMs: number) => leaseSeconds + Math.ceil(deadlineMs / 1_000)

  return {
    get ended() {
      return connection.ended()
    },
    async look(watched, deadlineMs) {
      const { paths, listings } = watched
      const answer = await ask({ kind: 'look', paths, listings }, { maxBytes: maxAnswerBytes(watched), deadlineMs })
      if ('error' in answer) return answer
      const snapshot = parseSnapshot(answer.payload, watched)
      if ('why' in snapshot) return { error: connection.end(checkError('answer_invalid', snapshot.why)) }
      return { snapshot }
    },
    async evidence({ paths, after, before }) {
      const question = { paths, after, before, seconds: EVIDENCE_SECONDS, max_bytes: MAX_EVIDENCE_BYTES }
      const answer = await ask(
        { kind: 'blame', ...question, program: blameProgram() },
        { maxBytes: MAX_EVIDENCE_BYTES, deadlineMs: EVIDENCE_DEADLINE_MS },
      )
      if ('error' in answer) return answer
      const evidence = parseBlameEvidence(answer.payload.toString('latin1'), paths)
      if (evidence === null) return { error: connection.end(checkError('answer_invalid', 'what it logged')) }
      return { evidence }
    },
    async watch({ paths, listings }, onBell, deadlineMs) {
      connection.expectBells(onBell)
      const answer = await ask({ kind: 'watch', paths, listings }, { maxBytes: MAX_BELL_BYTES, deadlineMs })
      if ('error' in answer) return answer
      const bell = bellIn(answer.payload)
      return bell ?? { error: connection.end(checkError('answer_invalid', 'its bell is none')) }
    },
    onEnd: connection.onEnd,
    close: connection.close,
  }
}

function requestText(id: number, question: object, leaseSeconds: number): string {
  return `${JSON.stringify({ id, lease_seconds: leaseSeconds, ...question })}\n`
}

function bellIn(payload: Buffer): Bell | null {
  const value = parseJson(payload.toString('latin1'))
  if (!isRecord(value) || typeof value.changed !== 'boolean') return null
  const { changed, why } = value
  if (why !== null && typeof why !== 'string') return null
  return { isChanged: changed, why: why === null ? null : printable(why.slice(0, 200)) }
}

/** What the agent says when it could not do what it was asked. Such an answer is short. */
function failureIn(payload: Buffer): string | null {
  if (payload.length > 4_096) return null
  const answer = parseJson(payload.toString('latin1'))
  return isRecord(answer) && typeof answer.error === 'string' ? answer.error : null
}

type Answer = { readonly payload: Buffer } | { readonly error: CheckError }

interface Question {
  readonly id: number
  readonly maxBytes: number
  readonly resolve: (answer: Answer) => void
  readonly timer: NodeJS.Timeout
}

interface Bells {
  /** Of the questions that are answered by ringing; one that was asked before may still ring. */
  readonly ids: Set<number>
  onBell: (bell: Bell) => void
  readonly silence: NodeJS.Timeout
  countedFromMs: number
  count: number
}

function createConnection(child: ChildProcess) {
  const nonce = randomBytes(16).toString('hex')
  const reader = new AnswerReader(nonce)
  let asked: Question | null = null
  let lastId = -1
  let ended: CheckError | null = null
  let isReady = false
  let said = ''
  let bells: Bells | null = null
  const onEnd: (() => void)[] = []

  function settle(answer: Answer): void {
    if (asked === null) return
    clearTimeout(asked.timer)
    const { resolve } = asked
    asked = null
    resolve(answer)
  }

  /** The first reason stays. */
  function end(error: CheckError): CheckError {
    if (ended !== null) return ended
    ended = error
    clearTimeout(bells?.silence)
    // The agent ends when its input does; ssh itself may hang with its host.
    killGroup(child)
    settle({ error })
    for (const one of onEnd) one()
    return error
  }

  function close(): void {
    if (ended !== null) return
    ended = checkError('interrupted')
    clearTimeout(bells?.silence)
    settle({ error: ended })
    child.stdin?.end()
    const timer = setTimeout(() => killGroup(child), GOODBYE_MS)
    child.once('exit', () => clearTimeout(timer))
    for (const one of onEnd) one()
  }

  child.once('error', (error) => end(checkError('ssh_missing', error.message)))
  child.once('close', (code) => end(isReady ? checkError('connection_lost', lastLine(said)) : whyNotOpened(code, said)))
  child.stdin?.on('error', () => {}) // it has ended; "close" says how
  child.stderr?.setEncoding('latin1').on('data', (text: string) => {
    if (!isReady) said = (said + text).slice(0, MAX_SAID_BYTES)
    else said = text.slice(-MAX_SAID_BYTES)
  })
  child.stdout?.on('data', (chunk: Buffer) => {
    if (ended !== null) return
    bells?.silence.refresh()
    const found = reader.take(chunk)
    for (const incoming of found) {
      if (incoming.kind === 'invalid') return void end(checkError('answer_invalid', incoming.why))
      if (incoming.id === asked?.id) {
        isReady = true
        settle({ payload: incoming.payload })
      } else if (bells?.ids.has(incoming.id)) {
        ring(bells, incoming.payload)
      } else {
        end(checkError('answer_invalid', 'it answered what nobody asked'))
      }
      if (ended !== null) return
    }
    if (found.length > 0) reader.expect(asked?.maxBytes ?? MAX_BELL_BYTES)
  })

  function ring(bells: Bells, payload: Buffer): void {
    const bell = bellIn(payload)
    if (bell === null) return void end(checkError('answer_invalid', 'its bell is none'))
    const now = performance.now()
    if (now - bells.countedFromMs > 1_000) Object.assign(bells, { countedFromMs: now, count: 0 })
    bells.count += 1
    if (bells.count > MAX_BELLS_A_SECOND) return void end(checkError('answer_invalid', 'it rings without end'))
    bells.onBell(bell)
  }

  return {
    nonce,
    end,
    close,
    ended: () => ended,
    /** Of the question that is asked next. */
    nextId: () => lastId + 1,
    onEnd: (act: () => void) => void (ended === null ? onEnd.push(act) : act()),
    /** Of the question that is asked next its first answer is the answer, and each further one a bell. */
    expectBells(onBell: (bell: Bell) => void): void {
      if (ended !== null) return
      const silence = () => end(checkError('timeout', 'the server gives no sign of life'))
      bells ??= { ids: new Set(), onBell, silence: setTimeout(silence, SILENCE_MS), countedFromMs: 0, count: 0 }
      bells.onBell = onBell
      bells.ids.add(lastId + 1)
    },
    write: (bytes: Buffer) => void child.stdin?.write(bytes),
    ask(text: string, { maxBytes, deadlineMs }: { maxBytes: number; deadlineMs: number }): Promise<Answer> {
      if (ended !== null) return Promise.resolve({ error: ended })
      if (asked !== null) throw new Error('it is being asked already')
      return new Promise((resolve) => {
        lastId += 1
        const timer = setTimeout(() => end(checkError('timeout', 'the server gave no answer')), deadlineMs)
        asked = { id: lastId, maxBytes, resolve, timer }
        reader.expect(maxBytes)
        child.stdin?.write(text)
      })
    },
  }
}

function lastLine(said: string): string {
  return said.trim().split('\n').at(-1) ?? ''
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended meanwhile.
  }
}
