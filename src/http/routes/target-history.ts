import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { EPISODE_ROW, type EpisodeRow, PERIOD_ROW, type PeriodRow } from '../../contract/target-history.ts'
import { createCursors } from '../cursor.ts'
import { addRoute, describeOperation, type Within } from '../operation.ts'
import { NEXT_CURSOR, PAGE, PAGE_SIZE } from '../page-of.ts'
import { SELECTION, SPAN } from '../query.ts'
import { type AskedSpan, spanIn } from './row-lists.ts'

/** A place in the order of (began, target, number). */
export interface Place {
  readonly beganAt: number
  readonly targetId: number
  readonly number: number
}

export interface AskedPage extends AskedSpan {
  readonly limit: number
  readonly after: Place | null
}

export interface PageOf<Row> {
  readonly rows: readonly Row[]
  readonly next: Place | null
}

type Named = { readonly repo?: string; readonly server?: string } & Within

export interface Needs {
  readonly periods: (selected: Named, page: AskedPage) => Promise<PageOf<PeriodRow>>
  readonly episodes: (selected: Named, page: AskedPage) => Promise<PageOf<EpisodeRow>>
}

const { repo, server: serverName } = SELECTION.properties
const QUERY = Type.Object({ repo, server: serverName, ...SPAN.properties, ...PAGE.properties })

const PERIODS = describeOperation({
  method: 'GET',
  path: '/api/v1/periods',
  id: 'listPeriods',
  right: 'read',
  tag: 'history',
  summary: 'Stretches in which nothing changed, the newest first',
  query: QUERY,
  answer: {
    status: 200,
    description: 'One page.',
    content: {
      'application/json': Type.Object({
        items: Type.Array(PERIOD_ROW, { description: 'Those of this page.' }),
        next_cursor: NEXT_CURSOR,
      }),
    },
  },
  faults: ['store_unreadable'],
})

const EPISODES = describeOperation({
  method: 'GET',
  path: '/api/v1/episodes',
  id: 'listEpisodes',
  right: 'read',
  tag: 'history',
  summary: 'Stretches of drift with the windows in which each began and was repaired, the newest first',
  query: QUERY,
  answer: {
    status: 200,
    description: 'One page.',
    content: {
      'application/json': Type.Object({
        items: Type.Array(EPISODE_ROW, { description: 'Those of this page.' }),
        next_cursor: NEXT_CURSOR,
      }),
    },
  },
  faults: ['store_unreadable'],
})

const CURSORS = createCursors(
  Type.Tuple([
    Type.Integer({ minimum: -8.64e15, maximum: 8.64e15 }),
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  ]),
)

/** What was, page by page. */
export function addTargetHistory(server: FastifyInstance, { periods, episodes }: Needs): void {
  addRoute(server, PERIODS, async ({ query }) => answer(await periods(query, pageIn(query))))
  addRoute(server, EPISODES, async ({ query }) => answer(await episodes(query, pageIn(query))))
}

function pageIn({ limit = PAGE_SIZE, cursor, ...span }: Static<typeof QUERY>): AskedPage {
  const place = cursor === undefined ? null : CURSORS.read(cursor)
  return { ...spanIn(span), limit, after: place && { beganAt: place[0], targetId: place[1], number: place[2] } }
}

function answer<Row>({ rows, next }: PageOf<Row>) {
  return { items: rows, next_cursor: next && CURSORS.write([next.beganAt, next.targetId, next.number]) }
}
