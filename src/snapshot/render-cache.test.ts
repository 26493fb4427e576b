import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createRenderCache, createRenderCaches } from './render-cache.ts'

function aCache(targetCount: number) {
  let nowMs = 0
  let version = 0
  let takesMs = 0
  let written = 0
  const rendered = createRenderCache(
    { monotonicMs: () => nowMs, version: () => version, targetCount: () => targetCount },
    async () => {
      written++
      const text = `version ${version}`
      nowMs += takesMs
      return text
    },
  )
  return {
    read: async () => (await rendered()).body.toString(),
    rendered,
    written: () => written,
    change: () => {
      version++
    },
    pass: (ms: number) => {
      nowMs += ms
    },
    takes: (ms: number) => {
      takesMs = ms
    },
  }
}

describe('an answer that is kept', () => {
  it('is written anew for whoever asks after a change, up to a thousand targets', async () => {
    const { read, change, written } = aCache(1_000)
    for (let n = 0; n < 3; n++) {
      assert.equal(await read(), `version ${n}`)
      assert.equal(await read(), `version ${n}`)
      change()
    }
    assert.equal(written(), 3)
  })

  it('is at most 200 ms behind beyond that, and written five times a second', async () => {
    const { read, change, pass, written } = aCache(1_001)
    assert.equal(await read(), 'version 0')
    for (let ms = 0; ms < 1_000; ms += 50) {
      change()
      assert.ok(Number((await read()).split(' ')[1]) > ms / 50 + 1 - 5)
      pass(50)
    }
    assert.equal(written(), 5)
  })

  it('is written anew when the ages in it have moved', async () => {
    const { read, pass, written } = aCache(1)
    await read()
    pass(999)
    await read()
    assert.equal(written(), 1)
    pass(1)
    await read()
    assert.equal(written(), 2)
  })

  it('takes no more than a fifth of the time, however long it takes to write', async () => {
    const { read, change, pass, takes, written } = aCache(1_000_000)
    takes(300)
    await read()
    change()
    pass(1_199)
    assert.equal(await read(), 'version 0')
    pass(1)
    assert.equal(await read(), 'version 1')
    assert.equal(written(), 2)
  })

  it('is written once for all who ask while it is being written, and tried again when that failed', async () => {
    let fail = true
    let written = 0
    const rendered = createRenderCache(
      { monotonicMs: () => 0, version: () => 0, targetCount: () => 2_000 },
      async () => {
        written++
        if (fail) throw new Error('a bug')
        return 'text'
      },
    )
    await Promise.all([assert.rejects(rendered(), /a bug/), assert.rejects(rendered(), /a bug/)])
    fail = false
    const [one, other] = await Promise.all([rendered(), rendered()])
    assert.equal(one, other)
    assert.equal(written, 2)
    assert.equal(gunzipSync(await one.gzipped()).toString(), 'text')
  })

  it('is kept for the few selections that were asked for last', async () => {
    const rendered = createRenderCaches({ monotonicMs: () => 0, version: () => 0, targetCount: () => 1 })
    const written: string[] = []
    const read = (key: string) =>
      rendered(key, async () => {
        written.push(key)
        return key
      })
    for (const key of ['a', 'b', 'a', 'c', 'd', 'a', 'e', 'a', 'b']) {
      assert.equal((await read(key)).body.toString(), key)
    }
    assert.deepEqual(written, ['a', 'b', 'c', 'd', 'e', 'b'])
  })
})
