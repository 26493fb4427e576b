import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { createSlots } from './slots.ts'

describe('createSlots', () => {
  it('begins no more at once than there is room for, and each in its turn', async () => {
    const slots = createSlots({ atOnce: 2 })
    const begun: number[] = []
    const ends: (() => void)[] = []
    const work = (n: number) =>
      slots.use(() => {
        begun.push(n)
        return new Promise<void>((resolve) => ends.push(resolve))
      })
    const all = [1, 2, 3, 4].map(work)
    await settled()
    assert.deepEqual(begun, [1, 2])

    ends[1]?.()
    await settled()
    assert.deepEqual(begun, [1, 2, 3])

    ends[0]?.()
    await settled()
    for (const end of ends) end()
    await Promise.all(all)
    assert.deepEqual(begun, [1, 2, 3, 4])
  })

  it('gives the place of one that hangs to the next, and only once', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const slots = createSlots({ atOnce: 1, workingMs: 1_000 })
      let hangs: () => void = () => {}
      const hanging = slots.use(() => new Promise<void>((resolve) => (hangs = resolve)))
      const begun: string[] = []
      const others = ['a', 'b'].map((name) =>
        slots.use(() => {
          begun.push(name)
          return name === 'a' ? new Promise<void>((resolve) => setTimeout(resolve, 500)) : Promise.resolve()
        }),
      )
      mock.timers.tick(999)
      await settled()
      assert.deepEqual(begun, [])

      mock.timers.tick(1)
      await settled()
      assert.deepEqual(begun, ['a'])

      hangs()
      await hanging
      await settled()
      assert.deepEqual(begun, ['a'])

      mock.timers.tick(500)
      await Promise.all(others)
      assert.deepEqual(begun, ['a', 'b'])
    } finally {
      mock.timers.reset()
    }
  })

  it('gives the place on when work fails', async () => {
    const slots = createSlots({ atOnce: 1 })
    await assert.rejects(
      slots.use(() => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.equal(await slots.use(() => Promise.resolve(1)), 1)
  })
})

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
