import { write as writeByCallback, writeSync } from 'node:fs'
import { promisify } from 'node:util'

const write = promisify(writeByCallback)

// A system call for each line costs as much as all the rest of a small report. This long a line may wait for others.
const HOLD_MS = 100
const GROUP_LENGTH = 64 * 1024

// Beyond this a reader of the log that has stopped reading would turn into a full memory.
const MAX_WAITING_LENGTH = 8 * 1024 * 1024

// A stop must not wait for a log that nobody reads.
const FLUSH_MS = 1_000

// While the other side of a pipe that does not block is behind.
const RETRY_MS = 10
const MAX_RETRIES_ON_EXIT = 50

export interface LogWriter {
  write(line: string): void
  /** Resolves when every line so far is written or lost, and after a second in any case. */
  flush(): Promise<void>
  /** For the end of the process: no line is held back after this. */
  flushSync(): void
}

/**
 * Writes lines in groups, never on the event loop: a log that nobody reads, or whose disk is full, delays no report.
 *
 * Idle until a line comes, then holding it for a moment, then writing; from there back to holding when lines came
 * meanwhile. Lines that cannot be written are counted, and `onLost` is told when writing works again.
 */
export function createLogWriter(fd: number, onLost: (lines: number) => void): LogWriter {
  let waiting = ''
  let lost = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  function begin(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing ??= writeGroup().finally(goOn)
    return writing
  }

  function goOn() {
    writing = undefined
    if (waiting.length >= GROUP_LENGTH) void begin()
    else if (waiting !== '') hold()
  }

  function hold() {
    timer ??= setTimeout(begin, HOLD_MS).unref()
  }

  async function writeGroup() {
    if (waiting === '') return
    let rest = Buffer.from(waiting)
    waiting = ''
    try {
      while (rest.length > 0) rest = rest.subarray(await writeSome(rest))
    } catch {
      // Nowhere is left to say it. A full disk or a reader that went away must not take the server with it.
      lost += countLines(rest.toString())
      return
    }
    if (lost > 0) {
      const before = lost
      lost = 0
      onLost(before)
    }
  }

  async function writeSome(rest: Buffer): Promise<number> {
    try {
      return (await write(fd, rest)).bytesWritten
    } catch (error) {
      if (!isBusy(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      return 0
    }
  }

  return {
    write(line) {
      if (waiting.length > MAX_WAITING_LENGTH) {
        lost++
        return
      }
      waiting += line
      if (writing !== undefined) return
      if (waiting.length >= GROUP_LENGTH) void begin()
      else hold()
    },
    async flush() {
      const giveUp = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref())
      await Promise.race([begin().then(begin), giveUp]) // what is being written, and what waited meanwhile
    },
    flushSync() {
      let rest = Buffer.from(waiting)
      waiting = ''
      for (let tries = 0; rest.length > 0 && tries < MAX_RETRIES_ON_EXIT; tries++) {
        try {
          rest = rest.subarray(writeSync(fd, rest))
        } catch (error) {
          if (!isBusy(error)) return
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
        }
      }
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}
