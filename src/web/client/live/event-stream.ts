import { createParser, type EventSourceMessage } from 'eventsource-parser'

export interface Listener {
  onOpen(): void
  onEvent(event: EventSourceMessage): void
  /** Something came, if only a comment that keeps the connection, and all of it was passed on. */
  onRead(): void
}

/** The server refused the stream, or it is no stream. */
export class NoStream extends Error {
  /** How long the server asks to stay away. */
  readonly retryAfterMs: number

  constructor(reason: string, retryAfterMs = 0) {
    super(reason)
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Reads server-sent events until the connection ends. Not an `EventSource`: that cannot be told where to go on after a
 * pause, and does not say that it hears nothing.
 *
 * @throws NoStream, and whatever `fetch` throws when the connection fails or is aborted
 */
export async function readEventStream(
  url: string,
  { lastEventId, signal }: { readonly lastEventId: string; readonly signal: AbortSignal },
  { onOpen, onEvent, onRead }: Listener,
): Promise<void> {
  const headers = { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) }
  const response = await fetch(url, { headers, signal, cache: 'no-store' })
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || !type.startsWith('text/event-stream') || response.body === null) {
    await response.body?.cancel()
    throw new NoStream(`HTTP ${response.status}`, 1_000 * (Number(response.headers.get('retry-after')) || 0))
  }
  onOpen()
  const parser = createParser({ onEvent })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parser.feed(read.value)
    onRead()
  }
}
