import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { parseJson } from '../contract/json-text.ts'
import { MAX_BODY_BYTES } from '../contract/limits.ts'
import type { Permit } from '../domain/authorize.ts'
import { Fault } from '../domain/fault.ts'
import type { Refuse } from './answer-error.ts'
import { REPORT_PATH, REPORT_PATH_V1 } from './log.ts'
import type { Meter } from './meter.ts'
import type { Admit } from './refuse-early.ts'
import { JSON_TYPE, type TakeReports } from './routes/post-status.ts'

export interface Needs {
  readonly takeReports: TakeReports
  readonly refuse: Refuse
  readonly admit: Admit
  /** What every answer carries now. */
  readonly commonHeaders: () => Readonly<Record<string, string>>
  readonly meter: Meter
  readonly monotonicMs: () => number
}

/**
 * Takes plain posts of reports before Fastify sees them: its router, hooks and parsers cost as much as all that is done
 * with a small report, and there is nothing in such a request for them to find.
 *
 * A post is plain when it could not be refused before its body is read. Fastify takes all others, and hands what it does
 * not refuse to the same `takeReports`: what is refused, and in what words, is said in one place each.
 */
export function takePlainPosts(server: Server, needs: Needs): void {
  const others = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const permit = isPlainPost(request) ? permitOf(request, needs) : null
    if (permit !== null) takePlainPost(request, response, permit, needs)
    else for (const other of others) other.call(server, request, response)
  })
}

// Who is not let in goes to Fastify, which asks the same once more and says why.
function permitOf({ headers }: IncomingMessage, { admit }: Needs): Permit | null {
  try {
    return admit(headers.authorization, 'write')
  } catch {
    return null
  }
}

function isPlainPost({ method, url, headers }: IncomingMessage): boolean {
  const length = Number(headers['content-length'])
  return (
    method === 'POST' &&
    (url === REPORT_PATH || url === REPORT_PATH_V1) &&
    headers['content-type'] === 'application/json' &&
    headers['content-encoding'] === undefined &&
    headers.origin === undefined &&
    length > 0 &&
    length <= MAX_BODY_BYTES
  )
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

function takePlainPost(request: IncomingMessage, response: ServerResponse, permit: Permit, needs: Needs): void {
  const { takeReports, refuse, commonHeaders, meter, monotonicMs } = needs
  const { method = '', url = '', headers } = request
  const startedAtMs = monotonicMs()
  const asking = { id: randomUUID(), method, url, headers, startedAtMs, permit }

  function answer({ status, headers, text }: Answer): void {
    response.writeHead(status, { ...commonHeaders(), ...headers, 'content-length': Buffer.byteLength(text) })
    response.end(text)
    meter.countRequest({ route: url, method, status, seconds: (monotonicMs() - startedAtMs) / 1_000 })
  }

  async function take(body: Buffer): Promise<void> {
    try {
      answer({ status: 200, headers: OK_HEADERS, text: await takeReports(parseJson(body), body.byteLength, asking) })
    } catch (error) {
      answer(refuse(error, asking))
    }
  }

  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => void take(whole(pieces)))
  // Hung up in the middle of the body. It never comes after the end.
  request.on('error', (cause) => {
    answer(refuse(new Fault('bad_request', 'The request could not be understood', { cause }), asking))
  })
}

function whole(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces) // nearly always one
}

const OK_HEADERS = { 'content-type': JSON_TYPE }
