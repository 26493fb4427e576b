import { readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type ExpositionFormat, type Metric, writeSamples } from './exposition-format.ts'

// What the delay is measured with, and what has to be taken off it: a timer that fires on time has waited so long.
const RESOLUTION_MS = 10

export interface ProcessMetrics extends Metric {
  stop(): void
}

/** How this process does. The names are those that every Prometheus client uses, so that ready-made dashboards fit. */
export function createProcessMetrics(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const startedAtSeconds = performance.timeOrigin / 1000
  const maxFds = readMaxFds()

  function one(name: string, value: number | null, help: string, format: ExpositionFormat): string {
    if (value === null) return ''
    return writeSamples({ name, type: name.endsWith('_total') ? 'counter' : 'gauge', help }, [{ value }], format)
  }

  return {
    write(format) {
      const { user, system } = process.cpuUsage()
      const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
      const { active, idle } = performance.eventLoopUtilization()
      const lag = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3)
      const text = [
        one('process_cpu_seconds_total', (user + system) / 1e6, 'CPU time spent.', format),
        one('process_start_time_seconds', startedAtSeconds, 'When the process started.', format),
        one('process_resident_memory_bytes', rss, 'Memory that the process holds.', format),
        one('process_open_fds', countOpenFds(), 'Open files and connections.', format),
        one('process_max_fds', maxFds, 'How many may be open.', format),
        one('nodejs_heap_size_total_bytes', heapTotal, 'Heap of JavaScript.', format),
        one('nodejs_heap_size_used_bytes', heapUsed, 'Heap of JavaScript in use.', format),
        one('nodejs_external_memory_bytes', external, 'Memory of objects outside the heap.', format),
        one('nodejs_eventloop_active_seconds_total', active / 1e3, 'Time that the event loop worked.', format),
        one('nodejs_eventloop_idle_seconds_total', idle / 1e3, 'Time that the event loop waited.', format),
        one(
          'nodejs_eventloop_lag_p99_seconds',
          lag(delay.percentile(99)),
          'Delay of the event loop since the last scrape, 99th percentile.',
          format,
        ),
        one(
          'nodejs_eventloop_lag_max_seconds',
          lag(delay.max),
          'Longest delay of the event loop since the last scrape.',
          format,
        ),
      ].join('')
      delay.reset()
      return text
    },
    stop() {
      delay.disable()
    },
  }
}

// Linux only; elsewhere there is no such series.
function countOpenFds(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1 // reading opens one
  } catch {
    return null
  }
}

function readMaxFds(): number | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? null : Number(limit)
  } catch {
    return null
  }
}
