import { formatTime } from '../contract/time.ts'
import type { Epoch } from '../domain/epoch.ts'
import { Fault } from '../domain/fault.ts'
import type { Target } from '../domain/report.ts'
import { type Beginning, type Change, createChangeLog, type Entry } from './change-log.ts'
import { eventIdOf, type Seen, seenIn } from './event-id.ts'
import { changeText, eventText, HEARTBEAT, type RowText, retryText } from './event-text.ts'

/** Where a client's events are written: the response to its request. */
export interface Outlet {
  /** `taken` is called when nothing of it waits any more. */
  write(text: string | Uint8Array, taken?: () => void): unknown
  end(text: string): unknown
  destroy(): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
  /** Bytes that wait. */
  readonly writableLength: number
  readonly destroyed: boolean
}

export interface Wish {
  /** As the client sent it. Undefined: it has seen nothing yet. */
  readonly lastEventId: string | undefined
  /** Which targets it wants to hear of. Null: all. */
  readonly matches: ((target: Target) => boolean) | null
}

export interface Stream {
  /**
   * Takes a client on. `connect` is called when there is a place for it, and says where to write.
   *
   * @throws Fault `overloaded`, `shutting_down`, and what `refuseIfBehind` throws
   */
  open(wish: Wish, connect: () => Outlet): void
  /** In the order of the records, after `rowText` knows of them. */
  follow(changes: readonly Change[]): void
  counts(): StreamCounts
  /**
   * Tells every client as of when what it heard is good, and lets it go: nobody may take silence for peace, or go on
   * listening with a token that was revoked.
   */
  interrupt(reason: 'store_unreadable' | 'access_changed'): void
  /** Tells every client to come back later and lets it go. Resolves when none is left. */
  stop(): Promise<void>
}

export interface StreamCounts {
  readonly clients: number
  readonly catchingUp: number
  /** Since the start: clients that took nothing for too long. */
  readonly evicted: number
}

export interface Needs {
  /** Random: no other server's, and not this one's after its next start. */
  readonly server: string
  readonly beginning: Beginning
  /** Those of every change that was followed, and which may grow. */
  readonly epochs: () => readonly Epoch[]
  readonly rowText: RowText
  /** Everything that was recorded by then was followed. */
  readonly asOf: () => Date
  /** @throws Fault while much may have been recorded that was not followed */
  readonly refuseIfBehind: () => void
  readonly now: () => Date
  readonly monotonicMs: () => number
  /** Runs it once, after so many milliseconds and never at once. */
  readonly after: (ms: number, run: () => void) => void
}

export const MAX_CLIENTS = 10_000

// A client that follows has fallen behind when more than this waits for it. Its queue never gets longer than that and
// one group, and a few rows: less than 256 KiB.
const BEHIND_BYTES = 64 * 1024
const PAGE_BYTES = 64 * 1024
// A filter may pass over many targets before it finds one; others must get their turn.
const PAGE_ENTRIES = 2_000
// A client must take what waits for it in this time: 4 KiB a second.
const PATIENCE_MS = 30_000
// Below the 30 to 60 seconds after which common proxies close what is quiet.
const HEARTBEAT_MS = 15_000

// After quiet a change goes out at once. Those that follow it share a group for so long, or for so much longer as it
// takes that writing to everyone needs no more than a fifth of the time: reports come first.
const GROUP_MS = 100
const GROUP_SHARE = 4
const MAX_GROUP_MS = 1_000
// So many clients are written to before others get their turn: a few milliseconds.
const SLICE_CLIENTS = 250

// A stop sends everyone away at once; they must not all come back at once.
const RETRY_MS = 2_000
const RETRY_SPREAD_MS = 3_000

// For a goodbye to get out.
const GOODBYE_MS = 1_000

interface Client {
  readonly outlet: Outlet
  readonly matches: Wish['matches']
  /** The place in the log up to which it was written to. */
  place: number
  /** It knew of no target when the log ended here, so removals up to here are none of its business. */
  knewNothingAt: number
  isReady: boolean
  /**
   * It comes from another server, with all records up to a place here, and is not ready yet. Of what is before that place
   * it is told the silences: the other one may have told it of more, of fewer, or of none.
   */
  moved: { readonly seq: number; readonly place: number } | null
  /** Catching up: since when a page waits for it to be taken. */
  waitsSinceMs: number | null
}

interface Reader {
  readonly isWanted: (entry: Entry) => boolean
  readonly idFor: (entry: Entry) => string | null
}

/**
 * Server-sent events. A client catches up, cuts over and follows.
 *
 * Catching up: it gets pages of the log from its own place on, each after it took the one before. Nothing is kept for it
 * meanwhile: what it misses stands in the log. At the end of the log it cuts over, in the same turn of the event loop as
 * it read that end. Following: it gets each group of changes, written once for all. With too much unread it goes back to
 * catching up; taking nothing for half a minute then, it is told and dropped.
 *
 * Who comes from another server of the same database goes on, too. Until it is ready its ids name no server: whoever it
 * comes to next must tell it of all silences again, also the one that it came from.
 */
export function createStream(needs: Needs): Stream {
  const { server, beginning, epochs, rowText, asOf, refuseIfBehind, now, monotonicMs, after } = needs
  const log = createChangeLog(beginning)
  const clients = new Set<Client>()
  const following = new Set<Client>()
  let groupBegin = log.end()
  let groupMs = GROUP_MS
  let groupEndMs = -Infinity
  let isGroupDue = false
  let isBeating = false
  let opened = 0
  let evicted = 0
  let stopped: PromiseWithResolvers<void> | undefined

  /** The id of an entry for those who have heard everything before it from us. Silence alone takes nobody further. */
  function idOf({ seq }: Entry): string | null {
    return seq === null ? null : eventIdOf({ seq, server }, epochs())
  }

  function idOnTheMove(seen: number, { after }: Entry): string {
    return eventIdOf({ seq: Math.max(seen, after), server: null }, epochs())
  }

  function open({ lastEventId = '', matches }: Wish, connect: () => Outlet): void {
    if (stopped !== undefined) throw new Fault('shutting_down', 'The server is stopping: connect again later')
    refuseIfBehind()
    if (clients.size >= MAX_CLIENTS) {
      throw new Fault('overloaded', `This server has no more than ${MAX_CLIENTS} streams: try again`)
    }
    const outlet = connect()
    if (outlet.destroyed) return // it went away before we came to it, and no `close` follows
    const client: Client = {
      outlet,
      matches,
      place: 0,
      knewNothingAt: 0,
      isReady: false,
      moved: null,
      waitsSinceMs: null,
    }
    clients.add(client)
    outlet.on('error', () => {}) // it went away while we wrote: `close` follows
    outlet.on('close', () => forget(client))
    opened += 1
    const retry = retryText(RETRY_MS + ((opened * 997) % RETRY_SPREAD_MS))

    const seen = lastEventId === '' ? null : seenIn(lastEventId, epochs())
    if (seen !== null && goOn(client, seen)) catchUp(client, retry)
    else catchUp(client, retry + startAnew(client, lastEventId === '' ? 'start' : 'cannot_resume'))
    keepBeating()
  }

  /** False when it cannot be said where. */
  function goOn(client: Client, seen: Seen): boolean {
    const place = log.placeOf(seen.seq)
    if (place === null) return false
    const silence = log.oldestSilence()
    client.place = place
    if (seen.server === server || silence === null) return true
    client.place = Math.min(place, silence - 1)
    client.moved = { seq: seen.seq, place }
    return true
  }

  /** What it would have to be told is forgotten. */
  function isLost({ place, knewNothingAt, moved }: Client): boolean {
    return Math.max(place, knewNothingAt, moved?.place ?? 0) < log.forgotten()
  }

  function startAnew(client: Client, reason: 'start' | 'cannot_resume'): string {
    client.place = 0
    client.moved = null
    client.knewNothingAt = log.end()
    client.isReady = false // it shows what it knew until it is told again that this is all
    // Who is cut off before the next id must not go on from the one of before: it has forgotten what that stood for.
    return eventText('reset', JSON.stringify({ reason }), '')
  }

  /** Writes the next page to a client, and lets it follow if that was the last. */
  function catchUp(client: Client, before = ''): void {
    if (!clients.has(client) || stopped !== undefined) return
    const reset = isLost(client) ? startAnew(client, 'cannot_resume') : ''
    let text = before + reset + readPage(client, log.end())

    if (client.place < log.end()) {
      writeThenCatchUp(client, text)
      return
    }
    if (!client.isReady) text += readyText()
    client.isReady = true
    client.moved = null
    following.add(client)
    if (text !== '') client.outlet.write(text)
  }

  function writeThenCatchUp(client: Client, text: string): void {
    following.delete(client)
    client.waitsSinceMs = monotonicMs()
    client.outlet.write(text, () => {
      client.waitsSinceMs = null
      after(0, () => catchUp(client))
    })
  }

  function readyText(): string {
    const seq = log.seq()
    return eventText(
      'ready',
      JSON.stringify({ seq, generated_at: formatTime(now()) }),
      eventIdOf({ seq, server }, epochs()),
    )
  }

  /** The next events for a client, up to this place; it may have come less far when the page is full. */
  function readPage(client: Client, until: number): string {
    const { moved, knewNothingAt, matches } = client
    const { text, place } = pageOf(client.place, until, {
      isWanted({ target, event, place, seq }) {
        if (event === 'removed' && place <= knewNothingAt) return false
        if (moved !== null && seq !== null && place <= moved.place) return false
        return matches?.(target) ?? true
      },
      idFor: moved === null ? idOf : (entry) => idOnTheMove(moved.seq, entry),
    })
    client.place = place
    return text
  }

  function pageOf(from: number, until: number, { isWanted, idFor }: Reader) {
    let text = ''
    let bytes = 0
    let entries = 0
    for (const entry of log.entriesAfter(from)) {
      if (entry.place > until) break
      if (bytes >= PAGE_BYTES || entries >= PAGE_ENTRIES) return { text, place: entry.place - 1 }
      entries += 1
      if (!isWanted(entry)) continue
      const change = changeText(entry, idFor(entry), rowText)
      bytes += Buffer.byteLength(change)
      text += change
    }
    return { text, place: until }
  }

  function follow(changes: readonly Change[]): void {
    for (const change of changes) log.append(change)
    if (changes.length > 0) expectGroup(Math.max(0, groupEndMs + groupMs - monotonicMs()))
  }

  function expectGroup(waitMs: number): void {
    if (isGroupDue) return
    isGroupDue = true
    after(waitMs, writeGroup)
  }

  function writeGroup(): void {
    const from = groupBegin
    const { text, place } =
      following.size === 0
        ? { text: '', place: log.end() }
        : pageOf(from, log.end(), { isWanted: () => true, idFor: idOf })
    const isFull = place < log.end()
    const bytes = Buffer.from(text)
    groupBegin = place

    inSlices(
      [...following],
      (client) => {
        if (client.outlet.writableLength > BEHIND_BYTES) return writeThenCatchUp(client, HEARTBEAT)
        if (isLost(client)) return catchUp(client)
        if (client.place === from && client.matches === null) {
          client.place = place
          client.outlet.write(bytes)
        } else if (client.place < place) {
          const own = readPage(client, place)
          if (own !== '') client.outlet.write(own)
        }
      },
      (spentMs) => {
        groupMs = Math.min(MAX_GROUP_MS, Math.max(GROUP_MS, GROUP_SHARE * spentMs))
        groupEndMs = monotonicMs()
        isGroupDue = false
        if (groupBegin < log.end()) expectGroup(isFull ? 0 : groupMs)
      },
    )
  }

  /** Visits those who still follow when their turn comes. */
  function inSlices(all: readonly Client[], visit: (client: Client) => void, done: (spentMs: number) => void): void {
    let next = 0
    let spentMs = 0

    function slice(): void {
      const beganMs = monotonicMs()
      for (const client of all.slice(next, next + SLICE_CLIENTS)) if (following.has(client)) visit(client)
      spentMs += monotonicMs() - beganMs
      next += SLICE_CLIENTS
      if (next < all.length) after(0, slice)
      else done(spentMs)
    }

    slice()
  }

  function keepBeating(): void {
    if (isBeating || clients.size === 0) return
    isBeating = true
    after(HEARTBEAT_MS, () => {
      for (const client of clients) if (isStuck(client)) evict(client)
      const done = () => {
        isBeating = false
        keepBeating()
      }
      inSlices([...following], ({ outlet }) => outlet.writableLength === 0 && outlet.write(HEARTBEAT), done)
    })
  }

  function isStuck({ waitsSinceMs }: Client): boolean {
    return waitsSinceMs !== null && monotonicMs() - waitsSinceMs >= PATIENCE_MS
  }

  function evict(client: Client): void {
    evicted += 1
    dismiss(client, eventText('evicted', JSON.stringify({ reason: 'too_slow' })))
    forget(client)
  }

  function goodbyeFor(reason: 'server_stopping' | 'store_unreadable' | 'access_changed'): string {
    return eventText('closing', JSON.stringify({ reason, generated_at: formatTime(asOf()) }))
  }

  function dismiss({ outlet }: Client, goodbye: string): void {
    outlet.end(goodbye)
    after(GOODBYE_MS, () => outlet.destroy())
  }

  function forget(client: Client): void {
    clients.delete(client)
    following.delete(client)
    if (clients.size === 0) stopped?.resolve()
  }

  return {
    open,
    follow,
    counts: () => ({ clients: clients.size, catchingUp: clients.size - following.size, evicted }),
    interrupt(reason) {
      const goodbye = goodbyeFor(reason)
      for (const client of clients) {
        dismiss(client, goodbye)
        forget(client)
      }
    },
    stop() {
      if (stopped !== undefined) return stopped.promise
      stopped = Promise.withResolvers()
      following.clear()
      const goodbye = goodbyeFor('server_stopping')
      for (const client of clients) dismiss(client, goodbye)
      if (clients.size === 0) stopped.resolve()
      return stopped.promise
    },
  }
}
