import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EpisodeRow } from '../../../contract/target-history.ts'
import { episodesThen } from './episodes-then.ts'

const EPISODE: EpisodeRow = {
  repo: 'rsyslog',
  server: 'rsyslog-lab',
  is_open: 0,
  onset_after: '2026-04-21T10:00:00Z',
  onset_before: '2026-04-21T10:10:00.250Z',
  repair_after: '2026-04-21T10:30:00Z',
  repair_before: '2026-04-21T10:40:00Z',
  last_dirty: '2026-04-21T10:30:00Z',
  time_to_repair_seconds: 1_800,
  checks: 3,
  max_drift_count: 2,
}
const ON_SHOW = '2026-04-21T10:10:00Z'

const at = (time: string) => Date.parse(`2026-04-21T${time}Z`)

describe('the episodes that were known at a moment', () => {
  it('are not yet repaired, and nobody knows what later checks will find', () => {
    const open = { ...EPISODE, is_open: 1, repair_after: null, repair_before: null, time_to_repair_seconds: null }
    assert.deepEqual(episodesThen([EPISODE], at('10:20:00'), ON_SHOW), [
      { ...open, checks: null, max_drift_count: null },
    ])
    assert.deepEqual(episodesThen([EPISODE], at('10:35:00'), ON_SHOW), [open])
  })

  it('are told as they are once they are over', () => {
    assert.deepEqual(episodesThen([EPISODE], at('10:41:00'), null), [EPISODE])
  })

  it('begin and end when their reports had come, not when their checks had begun', () => {
    assert.deepEqual(episodesThen([EPISODE], at('10:10:01'), null), [])
    assert.equal(episodesThen([EPISODE], at('10:40:01'), ON_SHOW)[0]?.is_open, 1)
  })

  it('are none that came after it', () => {
    assert.deepEqual(episodesThen([EPISODE, { ...EPISODE, is_open: 1, repair_before: null }], at('09:00:00'), null), [])
  })
})
