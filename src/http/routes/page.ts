import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { addRoute, describeOperation } from '../operation.ts'

export interface Page {
  readonly html: string
  /** What the page may load and do: the Content-Security-Policy header. */
  readonly policy: string
}

const HTML = { status: 200, description: 'The page.', content: { 'text/html': Type.String() } }

const PAGE = describeOperation({
  method: 'GET',
  path: '/',
  id: 'getPage',
  tag: 'service',
  summary: 'The dashboard',
  query: Type.Object({}),
  answer: HTML,
})

const ACTIVITY_PAGE = describeOperation({
  method: 'GET',
  path: '/activity',
  id: 'getActivityPage',
  tag: 'service',
  summary: 'The dashboard: what changed lately',
  query: Type.Object({}),
  answer: HTML,
})

const TARGET_PAGE = describeOperation({
  method: 'GET',
  path: '/targets/{repo}/{server}',
  id: 'getTargetPage',
  tag: 'service',
  summary: 'The dashboard: one target',
  description: 'Always there: what the target is, the page asks the API. `?at=` shows a moment in the past.',
  params: Type.Object({ repo: Type.String(), server: Type.String() }),
  query: Type.Object({}),
  answer: HTML,
})

const PLAIN_PAGE = describeOperation({
  method: 'GET',
  path: '/plain',
  id: 'getPlainPage',
  tag: 'service',
  summary: 'The page without scripts',
  query: Type.Object({}),
  answer: HTML,
})

export interface Needs {
  /** Null when the dashboard was not built. `base`: where the product begins, seen from the address of the page. */
  readonly dashboardPage: ((base: string) => Page) | null
  /** `address` is where the reader's browser found us. */
  readonly plainPage: (address: string) => Promise<Page>
  readonly ownUrl: () => string
}

/** `GET /` and what can be opened below it: the pages. */
export function addPage(server: FastifyInstance, { dashboardPage, plainPage, ownUrl }: Needs): void {
  const plain = (host: string | undefined) => plainPage(addressIn(host) ?? ownUrl())
  for (const [operation, base] of [
    [PAGE, './'],
    [ACTIVITY_PAGE, './'],
    [TARGET_PAGE, '../../'],
  ] as const) {
    addRoute(server, operation, async ({ request, reply }) => {
      const { html, policy } = dashboardPage === null ? await plain(request.headers.host) : dashboardPage(base)
      return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
    })
  }
  addRoute(server, PLAIN_PAGE, async ({ request, reply }) => {
    const { html, policy } = await plain(request.headers.host)
    return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
  })
}

// It ends up in a command that people copy into a shell.
function addressIn(host: string | undefined): string | undefined {
  return /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host ?? '')
    ? `http://${host}`
    : undefined
}
