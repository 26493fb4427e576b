import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aLedger, aReceived } from '../../test/server/a-report.ts'
import type { Change } from '../domain/recorded.ts'
import { createFeed } from './feed.ts'

const recorded = (...servers: string[]) => aLedger().receive(...servers.map((server) => aReceived({ server })))
const serversOf = (all: readonly Change[]) =>
  all.map((change) => ('removed' in change ? change.removed.server : change.received.report.target.server))

describe('the feed', () => {
  it('passes everything on to each follower, in order', () => {
    const feed = createFeed(() => assert.fail())
    const seen: Record<string, string[]> = { one: [], two: [] }
    feed.follow('one', (all) => seen.one?.push(...serversOf(all)))
    feed.follow('two', (all) => seen.two?.push(...serversOf(all)))

    feed.publish(recorded('a', 'b'))
    feed.publish(recorded('c'))

    assert.deepEqual(seen, { one: ['a', 'b', 'c'], two: ['a', 'b', 'c'] })
  })

  it('keeps nothing from the others when one follower fails', () => {
    const failures: string[] = []
    const seen: string[] = []
    const feed = createFeed((follower) => failures.push(follower))
    feed.follow('broken', () => {
      throw new Error('a bug')
    })
    feed.follow('sound', (all) => seen.push(...serversOf(all)))

    feed.publish(recorded('a'))

    assert.deepEqual([failures, seen], [['broken'], ['a']])
  })

  it('says nothing when nothing was recorded', () => {
    const feed = createFeed(() => {})
    feed.follow('one', () => assert.fail())
    feed.publish([])
  })
})
