import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

// What systemd does with a message, without systemd: read it, and close the descriptor that came with it, for which
// systemd-notify waits. Node cannot open such a socket.
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    for line in s.recv(65536).decode().splitlines():
        print(line, flush=True)
`

export interface NotifySocket {
  readonly path: string
  /** Every line of every message so far, but for those that only wait for an answer. */
  readonly lines: readonly string[]
  /** Resolves when such a line has come, or had come before. */
  heard(line: string): Promise<void>
  close(): void
}

/** What NOTIFY_SOCKET names under systemd. */
export async function openNotifySocket(directory: string): Promise<NotifySocket> {
  const path = join(directory, 'notify')
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const reader = createInterface({ input: child.stdout })
  await once(reader, 'line') // "listening"

  const lines: string[] = []
  const waiting = new Map<string, () => void>()
  reader.on('line', (line) => {
    if (line === 'BARRIER=1') return
    lines.push(line)
    waiting.get(line)?.()
  })
  return {
    path,
    lines,
    heard: (line) =>
      new Promise((resolve) => {
        if (lines.includes(line)) resolve()
        else waiting.set(line, resolve)
      }),
    close: () => child.kill(),
  }
}
