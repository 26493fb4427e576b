import type { StatusRow } from '../../../contract/status-json.ts'
import { followServer } from './follow-server.ts'
import { keyOf } from './key.ts'
import type { Told } from './told.ts'

/** What a page says to the hub. */
export type FromPage = 'visible' | 'hidden' | 'gone'

/** One page of this browser. */
export interface Page {
  tell(told: Told): void
}

export interface Hub {
  /** Tells a page everything that is known. Returns how it says what becomes of it. */
  join(page: Page): (message: FromPage) => void
}

// Who looks away for a moment must not lose the connection.
const PAUSE_AFTER_MS = 30_000
// A page that crashed says nothing any more. Each says every ten seconds that it is there.
const FORGET_AFTER_MS = 40_000

/** Follows the server once for all pages of a browser, as long as one of them is looked at. */
export function createHub(base: string): Hub {
  const rows = new Map<string, StatusRow>()
  let incoming: Map<string, StatusRow> | null = null
  let latest: Pick<Told, 'connection' | 'asOf' | 'isComplete'> = {
    connection: 'connecting',
    asOf: null,
    isComplete: false,
  }
  const pages = new Map<Page, { isVisible: boolean; heardAtMs: number }>()
  let unseenSinceMs: number | null = null

  const following = followServer(base, (told) => {
    keep(told)
    for (const page of pages.keys()) page.tell(told)
  })

  function keep({ connection, asOf, isReset, isComplete, rows: changed, removed }: Told): void {
    if (isReset) incoming = new Map()
    const into = incoming ?? rows
    for (const row of changed) into.set(keyOf(row), row)
    for (const target of removed) into.delete(keyOf(target))
    if (isComplete && incoming !== null) {
      rows.clear()
      for (const [key, row] of incoming) rows.set(key, row)
      incoming = null
    }
    latest = { connection, asOf, isComplete: latest.isComplete || isComplete }
  }

  function lookAround(): void {
    const nowMs = performance.now()
    for (const [page, { heardAtMs }] of pages) if (nowMs - heardAtMs > FORGET_AFTER_MS) pages.delete(page)
    const isSeen = [...pages.values()].some(({ isVisible }) => isVisible)
    if (isSeen) {
      unseenSinceMs = null
      following.resume()
    } else {
      unseenSinceMs ??= nowMs
      if (nowMs - unseenSinceMs >= PAUSE_AFTER_MS) following.pause()
    }
  }
  setInterval(lookAround, 5_000)

  return {
    join(page) {
      function enter() {
        pages.set(page, { isVisible: true, heardAtMs: performance.now() })
        const now = { ...latest, clockAheadMs: following.clockAheadMs() }
        page.tell({ ...now, isReset: true, rows: [...rows.values()], removed: [] })
        if (incoming === null) return
        page.tell({ ...now, isReset: true, isComplete: false, rows: [...incoming.values()], removed: [] })
      }
      enter()
      lookAround()
      return (message) => {
        if (message === 'gone') pages.delete(page)
        else {
          if (!pages.has(page)) enter() // it was away, and missed what happened
          pages.set(page, { isVisible: message === 'visible', heardAtMs: performance.now() })
        }
        lookAround()
      }
    },
  }
}
