import { createRendering, type Rendering } from './rendering.ts'

// Up to this many targets whoever asks after a 200 sees that report: what changed is written anew at once.
const ALWAYS_NEW_UP_TO = 1_000

// Beyond it an answer may be this much behind, and is written at most five times a second.
const MAX_LAG_MS = 200

// An answer that takes long to write takes no more than this share of the time, whatever comes in.
const MAX_SHARE = 0.2

// Ages are told in whole seconds.
const AGES_HOLD_MS = 1_000

export interface Needs {
  readonly monotonicMs: () => number
  /** Different whenever something else is known than before. */
  readonly version: () => number
  readonly targetCount: () => number
}

interface Cached {
  readonly version: number
  readonly begunAtMs: number
  readonly tookMs: number
  readonly rendering: Rendering
}

/** Keeps one answer for all who ask within a moment, so that reading costs the same however many read. */
export function createRenderCache({ monotonicMs, version, targetCount }: Needs, write: () => Promise<string>) {
  let cached: Cached | undefined
  let writing: Promise<Rendering> | undefined

  function isGood({ version: held, begunAtMs, tookMs }: Cached): boolean {
    const ageMs = monotonicMs() - begunAtMs
    if (held === version() && ageMs < AGES_HOLD_MS) return true
    return targetCount() > ALWAYS_NEW_UP_TO && ageMs < Math.max(MAX_LAG_MS, tookMs / MAX_SHARE)
  }

  async function render(): Promise<Rendering> {
    const begun = { version: version(), begunAtMs: monotonicMs() }
    const rendering = createRendering(await write())
    cached = { ...begun, tookMs: monotonicMs() - begun.begunAtMs, rendering }
    return rendering
  }

  return async (): Promise<Rendering> => {
    if (cached !== undefined && isGood(cached)) return cached.rendering
    writing ??= render().finally(() => {
      writing = undefined
    })
    return writing
  }
}

// What the panels of a dashboard select. More than these are written for each who asks: an answer of a large fleet has
// megabytes, and anybody can ask for any number of them.
const KEPT = 4

/** The same for a few selections: those that were asked for last. */
export function createRenderCaches(needs: Needs) {
  const caches = new Map<string, () => Promise<Rendering>>()

  /** @param write The same for the same key. */
  return (key: string, write: () => Promise<string>): Promise<Rendering> => {
    const cache = caches.get(key) ?? createRenderCache(needs, write)
    caches.delete(key)
    caches.set(key, cache)
    if (caches.size > KEPT) caches.delete(caches.keys().next().value ?? '')
    return cache()
  }
}
