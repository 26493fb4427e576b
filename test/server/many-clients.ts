// Thousands of clients of the event stream, in a process of their own: so they neither share the server's time nor its
// limit of open files. Says 'ready' when all are live, and what they saw when the server has let all go.
import { connect } from 'node:net'

/** What this process says at its end. */
export interface Seen {
  readonly events: number
  readonly medianMs: number
  readonly p99Ms: number
  /** How many were told that the server stops. */
  readonly told: number
}

const [port, count] = process.argv.slice(2).map(Number)
const delaysMs: number[] = []
let live = 0
let told = 0
let closed = 0

function start(): void {
  let isLive = false
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.setEncoding('latin1').on('data', (text: string) => {
    const nowMs = Date.now()
    if (isLive) for (const [, at] of text.matchAll(/"at":(\d+)/g)) delaysMs.push(nowMs - Number(at))
    if (text.includes('event: closing\n')) told += 1
    if (isLive || !text.includes('event: ready\n')) return
    isLive = true
    live += 1
    if (live === count) process.send?.('ready')
    else if (live % 100 === 0) startSome()
  })
  socket.on('close', () => {
    closed += 1
    if (closed === count) report()
  })
  socket.write('GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
}

// More at once than the server has accepted would be turned away by the system.
function startSome(): void {
  for (let index = 0; index < 100; index++) start()
}

function report(): void {
  delaysMs.sort((one, other) => one - other)
  const at = (share: number) => delaysMs[Math.floor(delaysMs.length * share)] ?? 0
  const seen: Seen = { events: delaysMs.length, medianMs: at(0.5), p99Ms: at(0.99), told }
  process.send?.(seen)
  process.disconnect()
}

startSome()
