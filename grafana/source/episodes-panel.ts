import * as column from './columns.ts'
import { SELECTED, SPAN } from './infinity-query.ts'
import { type Frame, table } from './panels.ts'

/** Stretches of drift, the newest first. */
export function episodes(frame: Pick<Frame, 'id' | 'gridPos'>) {
  return table(
    {
      ...frame,
      title: 'Episodes of drift',
      description:
        'Nobody saw the moment in which drift began or was repaired: it lies between two checks, and both are shown. The time to repair is from the first check that found drift to the first that found none. Up to 1,000, the newest first.',
      noValue: 'No drift in this time.',
    },
    {
      path: '/api/v1/episodes',
      params: { ...SELECTED, ...SPAN, limit: '1000' },
      root: 'items',
      columns: [
        column.STATE,
        column.SERVER,
        column.REPOSITORY,
        column.BEGAN_AFTER,
        column.BEGAN_BEFORE,
        column.REPAIRED_AFTER,
        column.REPAIRED_BEFORE,
        column.TIME_TO_REPAIR,
        column.MOST_FILES,
      ],
    },
  )
}
