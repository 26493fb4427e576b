import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import type { LogFormat, LogLevel } from './config.ts'
import { readableLine } from './log-line.ts'
import { createLogWriter } from './log-writer.ts'

const STDOUT = 1

export interface OpenLog {
  readonly log: Logger
  /** Resolves when every line so far has left the process. */
  flush(): Promise<void>
}

/** The log on standard output. What was held back is written when the process ends by itself, also by a failure. */
export function openLog({ level, format }: { level: LogLevel; format: LogFormat }): OpenLog {
  const { write, flush, flushSync } = createLogWriter(STDOUT, (lines) =>
    log.warn({ lines }, 'lines of the log were lost'),
  )
  process.on('exit', flushSync)

  const isText = format === 'text' || (format === 'auto' && isatty(STDOUT))
  const log = pino(
    {
      level,
      base: null,
      timestamp: timeField(),
      formatters: { level: (level) => ({ level }) },
    },
    { write: isText ? (json) => write(readableLine(json)) : write },
  )
  return { log, flush }
}

// Many reports end in the same millisecond, and making its text is a good part of a line's cost.
function timeField(): () => string {
  let latestMs = Number.NaN
  let field = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== latestMs) {
      latestMs = nowMs
      field = `,"time":"${new Date(nowMs).toISOString()}"`
    }
    return field
  }
}
