import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PrefixProxy extends AsyncDisposable {
  /** The address of the product as its readers see it, without a slash at its end. */
  readonly url: string
  /** What was asked for outside of the prefix: links that do not know where they are. */
  readonly strays: readonly string[]
}

/** A proxy that shows what is at `target` below a path, and passes it on without that path and without a word of it. */
export async function startPrefixProxy(prefix: string, target: string): Promise<PrefixProxy> {
  const strays: string[] = []
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/'
    if (!path.startsWith(`${prefix}/`)) {
      if (path !== '/favicon.ico') strays.push(path)
      outgoing.writeHead(404).end()
      return
    }
    const { method = 'GET', headers } = incoming
    const asked = request(target + path.slice(prefix.length), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    strays,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
