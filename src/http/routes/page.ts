import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { addRoute, describeOperation } from '../operation.ts'

export interface Page {
  readonly html: string
  /** What the page may load and do: the Content-Security-Policy header. */
  readonly policy: string
}

const PAGE = describeOperation({
  method: 'GET',
  path: '/',
  id: 'getPage',
  tag: 'service',
  summary: 'The page for people',
  query: Type.Object({}),
  answer: { status: 200, description: 'The page.', content: { 'text/html': Type.String() } },
})

export interface Needs {
  /** `address` is where the reader's browser found us. */
  readonly page: (address: string) => Promise<Page>
  readonly ownUrl: () => string
}

/** `GET /`: the page. */
export function addPage(server: FastifyInstance, { page, ownUrl }: Needs): void {
  addRoute(server, PAGE, async ({ request, reply }) => {
    const { html, policy } = await page(addressIn(request.headers.host) ?? ownUrl())
    return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
  })
}

// It ends up in a command that people copy into a shell.
function addressIn(host: string | undefined): string | undefined {
  return /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host ?? '')
    ? `http://${host}`
    : undefined
}
