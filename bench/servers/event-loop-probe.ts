// Preloaded into our server (`--import`) to see from outside how long its event loop stands still: on SIGUSR2, and when
// the server ends, it writes the longest pause since the last time as a line of $EVENT_LOOP_PAUSES, in milliseconds, and
// the most CPU that its thread took without a pause. The rest of a pause it has waited for a core, or for other threads.
import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

// What the histogram holds is a pause plus this.
const RESOLUTION_MS = 1

const path = process.env.EVENT_LOOP_PAUSES
// A preloaded module also runs in the store's worker, which waits for the disk all day.
if (path !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  let cpuMs = cpuOfThreadMs()
  let mostCpuMs = 0
  setInterval(() => {
    const before = cpuMs
    cpuMs = cpuOfThreadMs()
    mostCpuMs = Math.max(mostCpuMs, cpuMs - before)
  }, RESOLUTION_MS).unref()
  const write = () => {
    const longestMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS)
    appendFileSync(path, `${longestMs.toFixed(1)} ${mostCpuMs.toFixed(1)}\n`)
    delay.reset()
    mostCpuMs = 0
  }
  delay.enable()
  process.on('SIGUSR2', write)
  process.on('exit', write)
}

function cpuOfThreadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
