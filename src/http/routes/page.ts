import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type TObject } from 'typebox'
import { addRoute, describeOperation } from '../operation.ts'

export interface Page {
  readonly html: string
  /** What the page may load and do: the Content-Security-Policy header. */
  readonly policy: string
}

function describePage<Params extends TObject>(
  path: string,
  id: string,
  summary: string,
  more: { readonly description?: string; readonly params?: Params } = {},
) {
  return describeOperation({
    method: 'GET',
    path,
    id,
    tag: 'service',
    summary,
    ...more,
    query: Type.Object({}),
    answer: { status: 200, description: 'The page.', content: { 'text/html': Type.String() } },
  })
}

const PAGE = describePage('/', 'getPage', 'The dashboard')
const ACTIVITY_PAGE = describePage('/activity', 'getActivityPage', 'The dashboard: what changed lately')
const TARGET_PAGE = describePage('/targets/{repo}/{server}', 'getTargetPage', 'The dashboard: one target', {
  description: 'Always there: what the target is, the page asks the API. `?at=` shows a moment in the past.',
  params: Type.Object({ repo: Type.String(), server: Type.String() }),
})
const PLAIN_PAGE = describePage('/plain', 'getPlainPage', 'The page without scripts')

export interface Needs {
  /** Null when the dashboard was not built. `base`: where the product begins, seen from the address of the page. */
  readonly dashboardPage: ((base: string) => Page) | null
  /** `address` is where the reader's browser found us. */
  readonly plainPage: (address: string) => Promise<Page>
  readonly ownUrl: () => string
}

/** `GET /` and what can be opened below it: the pages. */
export function addPage(server: FastifyInstance, { dashboardPage, plainPage, ownUrl }: Needs): void {
  const plain = ({ headers }: FastifyRequest) => plainPage(addressIn(headers.host) ?? ownUrl())
  for (const [operation, base] of [
    [PAGE, './'],
    [ACTIVITY_PAGE, './'],
    [TARGET_PAGE, '../../'],
  ] as const) {
    addRoute(server, operation, async ({ request, reply }) =>
      send(reply, dashboardPage === null ? await plain(request) : dashboardPage(base)),
    )
  }
  addRoute(server, PLAIN_PAGE, async ({ request, reply }) => send(reply, await plain(request)))
}

function send(reply: FastifyReply, { html, policy }: Page) {
  return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html)
}

// It ends up in a command that people copy into a shell.
function addressIn(host: string | undefined): string | undefined {
  return /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host ?? '')
    ? `http://${host}`
    : undefined
}
