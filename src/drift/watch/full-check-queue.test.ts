import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { createFullCheckQueue } from './full-check-queue.ts'

function aQueue() {
  const runs: { hosts: string[]; end: () => void }[] = []
  const waiting: (() => void)[] = []
  const queue = createFullCheckQueue({
    run: (hosts) => new Promise((end) => void runs.push({ hosts: [...hosts.keys()], end })),
    clock: {
      after(_, run) {
        waiting.push(run)
        return () => {}
      },
    },
  })
  const routine = { different: [], isUrgent: false }
  return {
    ...queue,
    routine(...hosts: readonly string[]) {
      for (const host of hosts) queue.ask(host, routine)
    },
    urgent(...hosts: readonly string[]) {
      for (const host of hosts) queue.ask(host, { ...routine, isUrgent: true })
    },
    gathered() {
      for (const run of waiting.splice(0)) run()
    },
    runs: () => runs.map(({ hosts }) => hosts.join(' ')),
    async end(index: number) {
      runs[index]?.end()
      await settled()
    },
  }
}

describe('the queue of full checks', () => {
  it('runs Ansible once at a time, for those together who came meanwhile', async () => {
    const { routine, gathered, runs, end } = aQueue()
    routine('a', 'b')
    gathered()
    routine('c', 'd')
    gathered()
    assert.deepEqual(runs(), ['a b'])
    await end(0)
    assert.deepEqual(runs(), ['a b', 'c d'])
  })

  it('confirms drift beside it', () => {
    const { routine, urgent, gathered, runs } = aQueue()
    routine('a')
    gathered()
    urgent('b')
    gathered()
    assert.deepEqual(runs(), ['a', 'b'])
  })

  it('takes 20 hosts at a time, and none that has left', async () => {
    const { routine, forget, gathered, runs, end } = aQueue()
    routine(...Array.from({ length: 25 }, (_, n) => `h${n}`))
    forget('h24')
    gathered()
    await end(0)
    assert.deepEqual(
      runs().map((hosts) => hosts.split(' ').length),
      [20, 4],
    )
  })

  it('begins nothing more once it is stopped, and waits for what runs', async () => {
    const { routine, stop, gathered, runs, end } = aQueue()
    routine('a')
    gathered()
    routine('b')
    let isStopped = false
    const stopping = stop().then(() => {
      isStopped = true
    })
    await settled()
    assert.equal(isStopped, false)
    await end(0)
    await stopping
    assert.deepEqual(runs(), ['a'])
  })
})
