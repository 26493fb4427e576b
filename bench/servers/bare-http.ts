import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const PROGRAM = fileURLToPath(new URL('bare-http-server.ts', import.meta.url))

/** Starts a server of `node:http` that parses a request, stores nothing and answers: what is left for everything else. */
export function startBareHttp({ directory }: { readonly directory: string }): Promise<ServerProcess> {
  return startServerProcess({
    command: process.execPath,
    args: [PROGRAM],
    log: join(directory, 'log'),
    ready: /listens on (\d+)/,
  })
}
