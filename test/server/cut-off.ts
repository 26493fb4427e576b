import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a database that can be cut: then nothing that is said on it arrives, and nobody is told. */
export interface Way extends AsyncDisposable {
  /** The URL of the database by this way. */
  readonly url: string
  cut(): void
  mend(): void
}

/** Stands between a server and its database. */
export async function aWayTo(databaseUrl: string): Promise<Way> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        sockets.delete(from)
      })
      from.on('data', (data) => isCut || to.write(data))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  const address = server.address()
  url.port = String(typeof address === 'object' ? address?.port : '')

  return {
    url: url.href,
    cut() {
      isCut = true
    },
    mend() {
      isCut = false
      // What was swallowed never comes, so nobody shall wait for it.
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
