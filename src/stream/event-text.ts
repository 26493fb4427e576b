import type { Target } from '../domain/report.ts'
import type { Entry } from './change-log.ts'

// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

/** One event. A browser asks for what came after the last `id` it saw when it connects again; for nothing after an empty one. */
export function eventText(event: string, data: string, id: string | null = null): string {
  return `${id === null ? '' : `id:${id && ` ${id}`}\n`}event: ${event}\ndata: ${data}\n\n`
}

/** How long a browser waits before it connects again. */
export function retryText(ms: number): string {
  return `retry: ${ms}\n\n`
}

/** Says nothing: keeps proxies from closing a quiet connection. */
export const HEARTBEAT = ':\n\n'

/** A target's status row as JSON text without line breaks, as it shows now. Null when there is no such target. */
export type RowText = (target: Target) => string | null

export function changeText({ target, event }: Entry, id: string | null, rowText: RowText): string {
  const row = event === 'target' ? rowText(target) : null
  if (row !== null) return eventText('target', row, id)
  const { repo, server } = target
  return eventText('removed', JSON.stringify({ repo, server }), id)
}
