import type { StatusRow } from '../../../contract/status-json.ts'
import { NoStream, readEventStream } from './event-stream.ts'
import type { Connection, Told } from './told.ts'

export interface Following {
  /** Nobody looks: ends the connection. Going on continues where it was. */
  pause(): void
  resume(): void
}

// The server says something every 15 seconds. Who hears nothing for longer than two of those is cut off.
const SILENT_MS = 35_000
// A proxy that collects a stream before it passes it on lets nothing through at first.
const FIRST_WORD_MS = 8_000
// So many streams without a word are not an accident.
const WORDLESS = 2
const POLL_EVERY_MS = 5_000
const TRY_STREAM_AGAIN_MS = 60_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000

/**
 * Follows what the server knows of the fleet by its event stream, or by asking again and again where streams do not
 * come through.
 *
 * Connecting until the stream has told everything, then live. When the stream ends, reconnecting, and on from the last
 * event. After two connections without a word polling, with another try of the stream each minute.
 */
export function followServer(base: string, tell: (told: Told) => void): Following {
  const eventsUrl = new URL('api/v1/events', base).href
  const statusUrl = new URL('api/v1/status', base).href
  let connection: Connection = 'connecting'
  let news = noNews()
  let clockAheadMs = 0
  let heardAtMs: number | null = null
  let lastEventId = ''
  let wordless = 0
  let running: AbortController | null = null

  function flush(next: Connection = connection): void {
    connection = next
    tell({ connection, asOf: heardAtMs && heardAtMs + clockAheadMs, clockAheadMs, ...news })
    news = noNews()
  }

  function take(event: string | undefined, data: string): void {
    if (event === 'target') news.rows.push(JSON.parse(data))
    else if (event === 'removed') news.removed.push(JSON.parse(data))
    else if (event === 'reset') news = { ...noNews(), isReset: true }
    else if (event === 'ready') {
      clockAheadMs = Date.parse(JSON.parse(data).generated_at) - Date.now()
      news.isComplete = true
      connection = 'live'
    }
  }

  /** Resolves or throws when the stream is over. */
  async function stream(stop: AbortSignal): Promise<void> {
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), FIRST_WORD_MS)
    let isOpen = false
    let hasWord = false
    try {
      await readEventStream(
        eventsUrl,
        { lastEventId, signal: AbortSignal.any([stop, silence.signal]) },
        {
          onOpen() {
            isOpen = true
          },
          onEvent({ event, data, id }) {
            hasWord = true
            wordless = 0
            take(event, data)
            if (id !== undefined) lastEventId = id
          },
          onRead() {
            clearTimeout(timer)
            timer = setTimeout(() => silence.abort(), hasWord ? SILENT_MS : FIRST_WORD_MS)
            if (connection === 'live') heardAtMs = Date.now()
            flush()
          },
        },
      )
    } finally {
      clearTimeout(timer)
      if (!hasWord && (isOpen || silence.signal.aborted)) wordless++
    }
  }

  async function poll(stop: AbortSignal): Promise<void> {
    const response = await fetch(statusUrl, { signal: stop, cache: 'no-cache' })
    if (!response.ok) throw new NoStream(`HTTP ${response.status}`)
    const rows: StatusRow[] = await response.json()
    heardAtMs = Date.now()
    const serverClock = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(serverClock)) clockAheadMs = serverClock - heardAtMs
    lastEventId = '' // what a stream told before is not what it would have to go on from
    news = { isReset: true, isComplete: true, rows, removed: [] }
    flush('polling')
  }

  async function run(stop: AbortSignal): Promise<void> {
    let waitMs = FIRST_WAIT_MS
    let streamAgainAtMs = 0
    while (!stop.aborted) {
      try {
        if (wordless >= WORDLESS && performance.now() < streamAgainAtMs) {
          await poll(stop)
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
      }
      if (stop.aborted) return
      if (connection === 'live') waitMs = FIRST_WAIT_MS
      if (wordless < WORDLESS || connection === 'polling') flush('reconnecting')
      // At random: a server that comes back must not be met by everyone at once.
      await pause(waitMs * (1 + Math.random()), stop)
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
  }

  function resume(): void {
    if (running !== null) return
    running = new AbortController()
    if (connection === 'paused') flush('reconnecting')
    void run(running.signal)
  }

  resume()
  return {
    resume,
    pause() {
      if (running === null) return
      running.abort()
      running = null
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
