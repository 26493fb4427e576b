import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createServerClock } from './server-clock.ts'

function aClock() {
  let machineMs = Date.parse('2026-04-21T10:00:00Z')
  let monotonicMs = 500
  const setBack: number[] = []
  const now = createServerClock({ now: () => new Date(machineMs), monotonicMs: () => monotonicMs }, (byMs) =>
    setBack.push(byMs),
  )
  return {
    setBack,
    now: () => now().toISOString(),
    pass(seconds: number) {
      machineMs += seconds * 1_000
      monotonicMs += seconds * 1_000
    },
    set(time: string) {
      machineMs = Date.parse(time)
    },
  }
}

describe('the clock of the server', () => {
  it('is the clock of the machine, also when that is set forward', () => {
    const { now, pass, set } = aClock()
    pass(60)
    assert.equal(now(), '2026-04-21T10:01:00.000Z')
    set('2026-04-24T10:01:00Z')
    assert.equal(now(), '2026-04-24T10:01:00.000Z')
    pass(60)
    assert.equal(now(), '2026-04-24T10:02:00.000Z')
  })

  it('goes on at the same pace when that is set back, says so once, and joins it again when it has caught up', () => {
    const { now, pass, set, setBack } = aClock()
    set('2026-04-21T08:00:00Z')
    assert.equal(now(), '2026-04-21T10:00:00.000Z')
    pass(60)
    assert.equal(now(), '2026-04-21T10:01:00.000Z')
    assert.deepEqual(setBack, [2 * 3_600_000])

    set('2026-04-21T10:02:00Z')
    assert.equal(now(), '2026-04-21T10:02:00.000Z')
    set('2026-04-21T09:00:00Z')
    now()
    assert.equal(setBack.length, 2)
  })

  it('never goes back, however little', () => {
    const { now, set, setBack } = aClock()
    set('2026-04-21T09:59:59.500Z')
    assert.equal(now(), '2026-04-21T10:00:00.000Z')
    set('2026-04-21T10:00:00.250Z')
    assert.equal(now(), '2026-04-21T10:00:00.250Z')
    assert.deepEqual(setBack, [])
  })
})
