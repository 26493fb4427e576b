import { useSyncExternalStore } from 'react'
import { createFleet, type Fleet } from './fleet.ts'
import { createHub, type FromPage } from './hub.ts'
import type { Told } from './told.ts'

// Between two pictures: drawing a large fleet anew for each of a hundred changes a second helps nobody.
const DRAW_EVERY_MS = 250
const PRESENT_EVERY_MS = 5_000
// The server says something every 15 seconds, and the worker passes it on. One that says nothing is dead.
const WORKER_SILENT_MS = 40_000

const fleet = createFleet()
const listeners = new Set<() => void>()
let shown = fleet.read()
let isDue = false
let drawnAtMs = Number.NEGATIVE_INFINITY

function take(told: Told): void {
  fleet.take(told)
  if (isDue) return
  isDue = true
  setTimeout(draw, Math.max(0, drawnAtMs + DRAW_EVERY_MS - performance.now()))
}

function draw(): void {
  isDue = false
  drawnAtMs = performance.now()
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
  let say = join(workerUrl)
  let heardAtMs = performance.now()
  let reportedAtMs = heardAtMs
  let isShared = 'SharedWorker' in globalThis
  function join(url: string): (message: FromPage) => void {
    const hear = (told: Told) => {
      heardAtMs = performance.now()
      take(told)
    }
    if (!('SharedWorker' in globalThis)) return createHub(document.baseURI).join({ tell: hear })
    const { port } = new SharedWorker(url, { type: 'module', name: 'gitops-status' })
    port.onmessage = ({ data }: MessageEvent<Told>) => hear(data)
    return (message) => port.postMessage(message)
  }

  function report() {
    const nowMs = performance.now()
    if (nowMs - reportedAtMs > 2 * PRESENT_EVERY_MS) heardAtMs = nowMs // this page stood still, not the worker
    reportedAtMs = nowMs
    const isVisible = document.visibilityState === 'visible'
    say(isVisible ? 'visible' : 'hidden')
    if (!isVisible)
      heardAtMs = nowMs // it may rest
    else if (isShared && nowMs - heardAtMs > WORKER_SILENT_MS) {
      isShared = false
      say = createHub(document.baseURI).join({ tell: take })
    }
  }
  document.addEventListener('visibilitychange', report)
  addEventListener('pageshow', report)
  addEventListener('pagehide', () => say('gone'))
  setInterval(report, PRESENT_EVERY_MS)
}
