import { useSyncExternalStore } from 'react'
import { createFleet, type Fleet } from './fleet.ts'
import { createHub, type FromPage } from './hub.ts'
import type { Told } from './told.ts'

// Between two pictures of a large fleet: sorting ten thousand rows for each of a hundred changes a second helps nobody.
const DRAW_EVERY_MS = 250
const PRESENT_EVERY_MS = 10_000

const fleet = createFleet()
const listeners = new Set<() => void>()
let shown = fleet.read()
let isDue = false

function take(told: Told): void {
  fleet.take(told)
  if (isDue) return
  isDue = true
  setTimeout(draw, shown.isComplete ? DRAW_EVERY_MS : 0)
}

function draw(): void {
  isDue = false
  shown = fleet.read()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The fleet as it shows now. */
export function useFleet(): Fleet {
  return useSyncExternalStore(subscribe, () => shown)
}

/** Connects this page, once. All pages of a browser share a connection where the browser can do that. */
export function connectFleet(workerUrl: string): void {
  const say = join(workerUrl)
  const report = () => say(document.visibilityState === 'visible' ? 'visible' : 'hidden')
  document.addEventListener('visibilitychange', report)
  addEventListener('pageshow', report)
  addEventListener('pagehide', () => say('gone'))
  setInterval(report, PRESENT_EVERY_MS)
}

function join(workerUrl: string): (message: FromPage) => void {
  if (!('SharedWorker' in globalThis)) return createHub(document.baseURI).join({ tell: take })
  const { port } = new SharedWorker(workerUrl, { type: 'module', name: 'gitops-status' })
  port.onmessage = ({ data }: MessageEvent<Told>) => take(data)
  return (message) => port.postMessage(message)
}
