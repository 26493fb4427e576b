import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type TObject } from 'typebox'
import type { TargetName } from '../../contract/status-json.ts'
import type { FaultCode } from '../../domain/fault.ts'
import { pathOf } from '../log.ts'
import { noSuchTarget } from '../no-such-target.ts'
import { addRoute, describeOfService, type Operation } from '../operation.ts'
import { TARGET_PARAMS } from '../target-params.ts'

export interface Page {
  readonly html: string
  /** What the page may load and do: the Content-Security-Policy header. */
  readonly policy: string
}

function describePage<Params extends TObject>(
  path: string,
  id: string,
  right: Operation['right'],
  summary: string,
  more: { readonly description?: string; readonly params?: Params; readonly faults?: readonly FaultCode[] } = {},
) {
  return describeOfService({
    path,
    id,
    right,
    summary,
    ...more,
    answer: { status: 200, description: 'The page.', content: { 'text/html': Type.String() } },
  })
}

const PAGE = describePage('/', 'getPage', 'open', 'The dashboard')
const ACTIVITY_PAGE = describePage('/activity', 'getActivityPage', 'open', 'The dashboard: what changed lately')
const TARGET_PAGE = describePage('/targets/{repo}/{server}', 'getTargetPage', 'open', 'The dashboard: one target', {
  description:
    '`?at=` shows a moment in the past. Of a target that is not known, browsers get the page all the same, with 404.',
  params: TARGET_PARAMS,
  faults: ['not_found'],
})
const PLAIN_PAGE = {
  ...describePage('/plain', 'getPlainPage', 'read', 'The page without scripts'),
  ofAll: true as const,
}

export interface Needs {
  /** Null when the dashboard was not built. `base`: where the product begins, seen from the address of the page. */
  readonly dashboardPage: ((base: string) => Page) | null
  /** `address` is where the reader's browser found us. */
  readonly plainPage: (address: string) => Promise<Page>
  readonly ownUrl: () => string
  readonly target: (name: TargetName) => object | undefined
  readonly mayAnybodyRead: () => boolean
}

/** `GET /` and what can be opened below it: the pages. */
export function addPage(
  server: FastifyInstance,
  { dashboardPage, plainPage, ownUrl, target, mayAnybodyRead }: Needs,
): void {
  const plain = ({ headers }: FastifyRequest) => plainPage(addressIn(headers.host) ?? ownUrl())
  const page = async (request: FastifyRequest) =>
    dashboardPage === null ? plain(request) : dashboardPage(baseFor(request))
  // The dashboard tells nothing of any target before it has asked for them. The plain page does.
  const shown = dashboardPage === null ? ({ right: 'read', ofAll: true } as const) : {}
  for (const operation of [PAGE, ACTIVITY_PAGE]) {
    addRoute(server, { ...operation, ...shown }, async ({ request, reply }) => send(reply, await page(request)))
  }
  addRoute(server, { ...TARGET_PAGE, ...shown }, async ({ params, request, reply }) => {
    if (dashboardPage !== null && mayAnybodyRead() && target(params) === undefined) throw noSuchTarget(params)
    return send(reply, await page(request))
  })
  addRoute(server, PLAIN_PAGE, async ({ request, reply }) => send(reply, await plain(request)))
}

/**
 * Shows people who come to an address where there is nothing the way on. Only where a page was asked for: a program, and
 * whoever looks at the API in a browser, is answered with a problem document.
 */
export function sendMissingPage(dashboardPage: Needs['dashboardPage'], request: FastifyRequest, reply: FastifyReply) {
  const isNavigation = request.method === 'GET' || request.method === 'HEAD'
  if (dashboardPage === null || !isNavigation || /^\/(api|assets)\//.test(pathOf(request))) return undefined
  if (!/\btext\/html\b/i.test(request.headers.accept ?? '')) return undefined
  return send(reply.code(404), dashboardPage(baseFor(request)))
}

/** Where the product begins, seen from the address of a page. */
function baseFor(request: FastifyRequest): string {
  const depth = pathOf(request).split('/').length - 2
  return depth <= 0 ? './' : '../'.repeat(depth)
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
