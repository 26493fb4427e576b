import { setTimeout as wait } from 'node:timers/promises'

/** Clocks and timers as this machine has them. None of the timers keeps the process from ending. */
export const REAL_TIME = { now: () => new Date(), monotonicMs: () => performance.now(), wait, after, every }

function after(ms: number, run: () => void): void {
  setTimeout(run, ms).unref()
}

/** Runs it again and again until the answer is called. */
export type Every = (ms: number, run: () => void) => () => void

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms).unref()
  return () => clearInterval(timer)
}
