import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

export interface WholeAnswer {
  readonly text: string
  readonly encoding: string
  /** On the wire. */
  readonly bytes: number
}

/** Reads once, asking for gzip, and keeps everything: to see that the load generator counts the right thing. */
export async function readWhole(port: number, path: string): Promise<WholeAnswer> {
  const request = get({ host: '127.0.0.1', port, path, headers: { 'accept-encoding': 'gzip' } })
  const [response]: [IncomingMessage] = await once(request, 'response').then(([found]) => [found])
  const body = await buffer(response)
  const encoding = response.headers['content-encoding'] ?? 'not compressed'
  return { text: (encoding === 'gzip' ? gunzipSync(body) : body).toString(), encoding, bytes: body.byteLength }
}
