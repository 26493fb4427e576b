import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPresenceClock } from './presence-clock.ts'

function aClock() {
  let monotonicMs = 500
  let beat = () => {}
  const clock = createPresenceClock({
    monotonicMs: () => monotonicMs,
    every(_ms, task) {
      beat = task
      return () => {
        beat = () => {}
      }
    },
  })
  const begun = clock.presentMs()
  return {
    passed: () => clock.presentMs() - begun,
    /** Time in which the process runs. */
    run(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        monotonicMs += 1_000
        beat()
      }
    },
    /** Time in which it does not. */
    stand(seconds: number) {
      monotonicMs += seconds * 1_000
    },
  }
}

describe('the presence clock', () => {
  it('goes on while the process runs, whether anybody looks at it or not', () => {
    const { passed, run } = aClock()
    run(600)
    assert.equal(passed(), 600_000)
  })

  it('stands still while the process does, but for a moment', () => {
    const { passed, run, stand } = aClock()
    run(10)
    stand(3_600)
    run(10)
    assert.equal(passed(), 20_000)
  })

  it('takes a busy machine for no pause', () => {
    const { passed, stand } = aClock()
    stand(4)
    assert.equal(passed(), 4_000)
  })
})
