import { useSyncExternalStore } from 'react'

// One clock for the whole page, so that all ages change in the same moment.
const listeners = new Set<() => void>()
let second = Math.floor(Date.now() / 1_000)
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  const now = Math.floor(Date.now() / 1_000)
  if (now === second) return
  second = now
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, 250)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** This browser's clock in whole seconds, as milliseconds since 1970. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => second) * 1_000
}
