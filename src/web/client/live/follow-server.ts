import type { StatusRow } from '../../../contract/status-json.ts'
import { onClockJump } from './clock-jump.ts'
import { NoStream, readEventStream } from './event-stream.ts'
import type { Connection, Told } from './told.ts'

export interface Following {
  /** How far the server's clock is ahead of this browser's, in milliseconds. Null while that is not known. */
  clockAheadMs(): number | null
  /** Nobody looks: ends the connection. Going on continues where it was. */
  pause(): void
  resume(): void
}

// The server says something every 15 seconds. Who hears nothing for longer than two of those is cut off.
const SILENT_MS = 35_000
const HEAD_MS = 8_000
// The server says its first word with the head of the stream. A proxy that collects a stream before it passes it on lets
// the head through alone.
const FIRST_WORD_MS = 3_000
const NEXT_WORD_MS = 8_000
// So many streams without a word are not an accident; one is none, either, of a server that answers meanwhile.
const WORDLESS = 2
const POLL_EVERY_MS = 5_000
const POLL_TIMEOUT_MS = 10_000
// Older than what is asked for next time: then it does not come from a server that knows what is recorded now.
const OLD_MS = POLL_EVERY_MS
const TRY_STREAM_AGAIN_MS = 60_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000

/**
 * Follows what the server knows of the fleet by its event stream, or by asking again and again where streams do not
 * come through.
 *
 * Connecting until the stream has told everything, then live; whoever knows nothing yet asks once beside it, and what
 * comes first shows. When the stream ends, reconnecting, and on from the last event. After connections without a word
 * polling, with another try of the stream each minute. After time in which this program stood still, reconnecting: what
 * it knows is as old as that. A server that cannot read its database sends nobody what it does not know: it ends streams
 * and refuses them, and says how old its rows are.
 */
export function followServer(base: string, tell: (told: Told) => void): Following {
  const eventsUrl = new URL('api/v1/events', base).href
  const statusUrl = new URL('api/v1/status', base).href
  let connection: Connection = 'connecting'
  let news = noNews()
  /** The server's clock, less our monotonic one: somebody may set this browser's clock at any time. */
  let serverClockMs: number | null = null
  let asOfMs: number | null = null
  let lastEventId = ''
  let wordless = 0
  /** The newest stream has told everything. */
  let isTold = false
  let isComplete = false
  let streamAgainAtMs = 0
  let running: { readonly stop: AbortController; readonly endWatch: () => void } | null = null

  const serverNow = () => serverClockMs && serverClockMs + performance.now()
  const clockAheadMs = () => serverClockMs && serverClockMs + performance.now() - Date.now()

  function flush(next: Connection = connection): void {
    connection = next
    const told = news
    news = noNews() // whatever becomes of it, it is not told twice
    tell({ connection, asOf: asOfMs, clockAheadMs: clockAheadMs(), ...told })
  }

  /** @throws NoStream when it is not what a server of ours says */
  function take(event: string | undefined, data: string): void {
    if (event === 'target') news.rows.push(understood(JSON.parse(data)))
    else if (event === 'removed') news.removed.push(understood(JSON.parse(data)))
    else if (event === 'reset') {
      news = { ...noNews(), isReset: true }
      isTold = false
      if (connection === 'live') connection = 'reconnecting' // until all is told anew, what is shown is of before
    } else if (event === 'ready') {
      serverClockMs = Date.parse(JSON.parse(data).generated_at) - performance.now()
      news.isComplete = true
      isComplete = true
      isTold = true
      wordless = 0
      connection = 'live'
    } else if (event === 'closing') {
      const knownMs = Date.parse(JSON.parse(data).generated_at)
      if (asOfMs !== null && !Number.isNaN(knownMs)) asOfMs = knownMs
      connection = 'reconnecting'
    }
  }

  /** Resolves or throws when the stream is over. */
  async function stream(stop: AbortSignal): Promise<void> {
    const [over, heard] = [new AbortController(), new AbortController()]
    let [isOpen, isSilent, isAnswered] = [false, false, false]
    const listen = (ms: number) =>
      setTimeout(() => {
        isSilent = true
        over.abort()
      }, ms)
    let timer = listen(connection === 'polling' ? POLL_EVERY_MS : HEAD_MS) // nobody asks meanwhile
    isTold = false
    // Asked for at the same time, so neither can be the older by more than it takes to ask.
    if (!isComplete) {
      poll(AbortSignal.any([stop, heard.signal]), connection).then(
        () => {
          isAnswered = isComplete
        },
        () => {}, // the stream will say why
      )
    }
    try {
      await readEventStream(
        eventsUrl,
        { lastEventId, signal: AbortSignal.any([stop, over.signal]) },
        {
          onOpen() {
            isOpen = true
            clearTimeout(timer)
            timer = listen(FIRST_WORD_MS)
          },
          onEvent({ event, data, id }) {
            if (stop.aborted) return
            heard.abort() // of two that tell at once, one could tell what is older
            take(event, data)
            if (id !== undefined) lastEventId = id
          },
          onRead() {
            if (stop.aborted) return
            clearTimeout(timer)
            timer = listen(connection === 'live' ? SILENT_MS : heard.signal.aborted ? NEXT_WORD_MS : FIRST_WORD_MS)
            if (connection === 'live') asOfMs = serverNow()
            flush()
          },
        },
      )
    } finally {
      clearTimeout(timer)
      over.abort()
      heard.abort()
      if (!isTold && !stop.aborted) {
        if (isSilent && isAnswered) wordless = WORDLESS
        else if (isOpen || isSilent) wordless++
      }
    }
  }

  async function poll(stop: AbortSignal, next: Connection): Promise<void> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(POLL_TIMEOUT_MS)])
    const response = await fetch(statusUrl, { signal, cache: 'no-cache' })
    if (!response.ok) throw new NoStream(`HTTP ${response.status}`)
    const answer: unknown = await response.json()
    if (stop.aborted) return
    if (!Array.isArray(answer)) throw new NoStream('no list of targets')
    const rows = answer.map((row) => understood<StatusRow>(row))
    const ageMs = 1_000 * (Number(response.headers.get('age')) || 0)
    const serverClock = Date.parse(response.headers.get('date') ?? '')
    const nowMs = Number.isNaN(serverClock) ? Date.now() : serverClock
    serverClockMs = nowMs - performance.now()
    asOfMs = nowMs - ageMs
    lastEventId = '' // what a stream told before is not what it would have to go on from
    news = { isReset: true, isComplete: true, rows, removed: [] }
    isComplete = true
    flush(ageMs < OLD_MS ? next : 'reconnecting')
  }

  async function run(stop: AbortSignal): Promise<void> {
    let waitMs = FIRST_WAIT_MS
    while (!stop.aborted) {
      const isAsking = wordless >= WORDLESS && performance.now() < streamAgainAtMs
      try {
        if (isAsking) {
          await poll(stop, 'polling')
          waitMs = FIRST_WAIT_MS
          await pause(POLL_EVERY_MS, stop)
          continue
        }
        streamAgainAtMs = performance.now() + TRY_STREAM_AGAIN_MS
        await stream(stop)
        waitMs = FIRST_WAIT_MS
      } catch (error) {
        if (stop.aborted) return
        if (error instanceof NoStream) waitMs = Math.max(waitMs, error.retryAfterMs)
        // Who knows nothing yet is better off with what there is, and as of when it is.
        if (!isComplete) await poll(stop, 'polling').catch(() => {})
      }
      if (stop.aborted) return
      if (isTold) waitMs = FIRST_WAIT_MS
      if (wordless >= WORDLESS && !isAsking) continue // it is asked at once
      flush('reconnecting')
      // At random: a server that comes back must not be met by everyone at once.
      await pause(waitMs * (1 + Math.random()), stop)
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
  }

  function resume(): void {
    if (running !== null) return
    const stop = new AbortController()
    running = { stop, endWatch: onClockJump(startAgain) }
    if (connection === 'paused') flush('reconnecting')
    void run(stop.signal)
  }

  function end(): void {
    running?.stop.abort()
    running?.endWatch()
    running = null
  }

  /** Whether the server is still there is not known, nor how late it is by it: our own clock may have stood still. */
  function startAgain(): void {
    end()
    serverClockMs = null
    if (connection !== 'connecting') flush('reconnecting')
    resume()
  }

  resume()
  return {
    clockAheadMs,
    resume,
    pause() {
      if (running === null) return
      end()
      flush('paused')
    },
  }
}

interface News {
  isReset: boolean
  isComplete: boolean
  readonly rows: StatusRow[]
  readonly removed: { repo: string; server: string }[]
}

// A login page, say, that a proxy puts in the place of an answer.
function understood<Value extends { readonly repo: string; readonly server: string }>(value: unknown): Value {
  const isNamed =
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'repo') === 'string' &&
    typeof Reflect.get(value, 'server') === 'string'
  if (!isNamed) throw new NoStream('no target')
  return value as Value
}

function noNews(): News {
  return { isReset: false, isComplete: false, rows: [], removed: [] }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    stop.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
