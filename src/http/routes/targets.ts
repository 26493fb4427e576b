import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { STATUS_ROW, type StatusRow, type TargetName } from '../../contract/status-json.ts'
import { TARGET, type TargetDetails } from '../../contract/target.ts'
import { createCursors } from '../cursor.ts'
import { type Log, outcome } from '../log.ts'
import { noSuchTarget } from '../no-such-target.ts'
import { addRoute, describeOperation } from '../operation.ts'
import { NEXT_CURSOR, PAGE, PAGE_SIZE } from '../page-of.ts'
import { BY_CAUSE, SELECTION } from '../query.ts'
import { TARGET_PARAMS } from '../target-params.ts'
import type { Selected } from './row-lists.ts'

export interface Needs {
  /** Those after a name, in order of name, and one more when there is another page. */
  readonly targetsAfter: (
    selected: Selected,
    page: { readonly after: TargetName | null; readonly limit: number },
  ) => Promise<readonly StatusRow[]>
  readonly target: (name: TargetName) => TargetDetails | undefined
  /** Resolves to false when there is none. `who`: the token that asks for it. */
  readonly removeTarget: (name: TargetName, who: string | null) => Promise<boolean>
  readonly log: Log
  readonly monotonicMs: () => number
}

const LIST = describeOperation({
  method: 'GET',
  path: '/api/v1/targets',
  id: 'listTargets',
  right: 'read',
  tag: 'targets',
  summary: 'All targets in order of name, page by page',
  query: Type.Object({ ...SELECTION.properties, ...BY_CAUSE.properties, ...PAGE.properties }),
  answer: {
    status: 200,
    description: 'One page.',
    content: {
      'application/json': Type.Object({
        items: Type.Array(STATUS_ROW, { description: 'Those of this page.' }),
        next_cursor: NEXT_CURSOR,
      }),
    },
  },
})

const ONE = describeOperation({
  method: 'GET',
  path: '/api/v1/targets/{repo}/{server}',
  id: 'getTarget',
  right: 'read',
  tag: 'targets',
  summary: 'Everything that is known of one target',
  params: TARGET_PARAMS,
  query: Type.Object({}),
  answer: { status: 200, description: 'The target.', content: { 'application/json': TARGET } },
  faults: ['not_found'],
})

const REMOVE = describeOperation({
  method: 'DELETE',
  path: '/api/v1/targets/{repo}/{server}',
  id: 'removeTarget',
  right: 'admin',
  tag: 'targets',
  summary: 'Forgets a target with its history',
  description: 'For a server that is gone. It begins anew with its next report.',
  params: TARGET_PARAMS,
  query: Type.Object({}),
  answer: { status: 204, description: 'It is forgotten.', content: {} },
  faults: ['not_found', 'cross_site', 'store_unavailable'],
})

const CURSORS = createCursors(Type.Tuple([Type.String(), Type.String()]))

/** Targets as resources. */
export function addTargets(server: FastifyInstance, needs: Needs): void {
  const { targetsAfter, target, removeTarget, log, monotonicMs } = needs

  addRoute(server, LIST, async ({ query }) => {
    const { cursor, limit = PAGE_SIZE } = query
    const after = cursor === undefined ? null : nameIn(CURSORS.read(cursor))
    const found = await targetsAfter(query, { after, limit })
    const items = found.slice(0, limit)
    const last = items.at(-1)
    const isMore = found.length > limit && last !== undefined
    return { items, next_cursor: isMore ? CURSORS.write([last.repo, last.server]) : null }
  })

  addRoute(server, ONE, async ({ params }) => {
    const found = target(params)
    if (found === undefined) throw noSuchTarget(params)
    return found
  })

  addRoute(server, REMOVE, async ({ params, request, reply }) => {
    if (!(await removeTarget(params, request.permit.who))) throw noSuchTarget(params)
    const { repo, server } = params
    const by = request.permit.who ?? undefined
    log.info({ repo, server, by, ...outcome(request, 204, monotonicMs()) }, 'a target was removed')
    return reply.code(204).send()
  })
}

function nameIn([repo, server]: [string, string]): TargetName {
  return { repo, server }
}
