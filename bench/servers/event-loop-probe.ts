// Preloaded into our server (`--import`) to see from outside how long its event loop stands still: on SIGUSR2, and when
// the server ends, it writes the longest pause since the last time, in milliseconds, as a line of $EVENT_LOOP_PAUSES.
import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

// What the histogram holds is a pause plus this.
const RESOLUTION_MS = 1

const path = process.env.EVENT_LOOP_PAUSES
// A preloaded module also runs in the store's worker, which waits for the disk all day.
if (path !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const write = () => {
    appendFileSync(path, `${Math.max(0, delay.max / 1e6 - RESOLUTION_MS).toFixed(1)}\n`)
    delay.reset()
  }
  delay.enable()
  process.on('SIGUSR2', write)
  process.on('exit', write)
}
