import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from './domain/fault.ts'
import { createKnowledge } from './knowledge.ts'

const CONFIRMED = new Date('2026-04-21T10:30:00Z')
const NOW = new Date('2026-04-21T10:30:30Z')

/** What a server knows whose store has confirmed nothing for so long. Null: there is nothing to follow. */
function someKnowledge(unconfirmedMs: number | null) {
  const said: string[] = []
  let lost = 0
  let silentMs = unconfirmedMs
  let look = () => {}
  const say = (_fields: unknown, words?: string) => void said.push(words ?? '')
  const knowledge = createKnowledge({
    following: () => (silentMs === null ? null : { asOf: CONFIRMED, unconfirmedMs: silentMs }),
    now: () => NOW,
    every(_ms, run) {
      look = run
      return () => {}
    },
    onLost: () => lost++,
    log: { debug: say, info: say, warn: say, error: say },
  })
  return {
    ...knowledge,
    said,
    lost: () => lost,
    lookAfter(ms: number) {
      silentMs = ms
      look()
    },
  }
}

describe('what a server knows', () => {
  it('is as of now where nobody else records anything', () => {
    const { asOf, secondsBehind, refuseIfBehind } = someKnowledge(null)
    assert.deepEqual([asOf(), secondsBehind()], [NOW, null])
    refuseIfBehind()
  })

  it('is as of when it was last confirmed, also while that is a moment ago', () => {
    const { asOf, secondsBehind } = someKnowledge(900)
    assert.deepEqual([asOf(), secondsBehind()], [CONFIRMED, null])
  })

  it('falls behind when nothing confirms it for more than five seconds', () => {
    assert.equal(someKnowledge(5_000).secondsBehind(), null)
    const { asOf, secondsBehind, refuseIfBehind } = someKnowledge(7_900)
    assert.deepEqual([asOf(), secondsBehind()], [CONFIRMED, 7])
    assert.throws(refuseIfBehind, (error) => error instanceof Fault && error.code === 'store_unreadable')
  })

  it('tells once that it is lost and once that it is there again', () => {
    const { lookAfter, lost, said } = someKnowledge(0)
    for (const ms of [1_000, 6_000, 7_000, 8_000, 10, 1_000]) lookAfter(ms)
    assert.equal(lost(), 1)
    assert.deepEqual(said, [
      'what is recorded cannot be read any more: what is shown stands still',
      'what is recorded can be read again',
    ])
    lookAfter(6_000)
    assert.equal(lost(), 2)
  })
})
