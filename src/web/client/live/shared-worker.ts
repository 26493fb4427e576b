import { createHub, type FromPage } from './hub.ts'

// One connection to the server for all pages of this browser: over HTTP/1.1 it has six for each server, and a stream
// takes one for good.

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null }
const hub = createHub(new URL('..', import.meta.url).href)

scope.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return
  const say = hub.join({ tell: (told) => port.postMessage(told) })
  port.onmessage = ({ data }: MessageEvent<FromPage>) => say(data)
}
