import { useSyncExternalStore } from 'react'
import type { Zone } from './time-words.ts'

const listeners = new Set<() => void>()
let zone: Zone = kept()

function kept(): Zone {
  try {
    return localStorage.getItem('zone') === 'utc' ? 'utc' : 'local'
  } catch {
    return 'local' // a browser that keeps nothing
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The zone that the reader has chosen for all times. */
export function useZone(): Zone {
  return useSyncExternalStore(subscribe, () => zone)
}

export function chooseZone(chosen: Zone): void {
  zone = chosen
  for (const listener of listeners) listener()
  try {
    localStorage.setItem('zone', chosen)
  } catch {
    // Then it holds until the page is left.
  }
}
