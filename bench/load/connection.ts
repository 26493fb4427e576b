import { once } from 'node:events'
import { connect } from 'node:net'
import { createResponseReader } from './response-reader.ts'

export interface Connection {
  /** The buffer must stay as it is until the answer has come. */
  send(request: Buffer): void
  close(): void
}

export interface Handlers {
  readonly onAnswer: (status: number) => void
  /** Nothing more will come. Not called after `close`. */
  readonly onLost: (reason: string) => void
}

// One for each connection instead of one for each read: 64 kB is what the kernel hands over at most.
const READ_BYTES = 64 * 1_024

/** A keep-alive connection on a raw socket: a request costs one write, its answer one read. */
export async function openConnection(port: number, { onAnswer, onLost }: Handlers): Promise<Connection> {
  let isClosed = false
  const lost = (reason: string) => {
    if (!isClosed) onLost(reason)
    isClosed = true
  }
  const read = createResponseReader(onAnswer)
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length, buffer) => {
        read(buffer as Buffer, length) // it is the one given above
        return true
      },
    },
  })
  await once(socket, 'connect')
  socket.on('error', (error: NodeJS.ErrnoException) => lost(error.code ?? error.message))
  socket.on('close', () => lost('connection closed'))
  return {
    send: (request) => socket.write(request),
    close: () => {
      isClosed = true
      socket.destroy()
    },
  }
}
