import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aReceived } from '../../test/server/a-report.ts'
import type { ReportBody } from '../contract/report.ts'
import { Fault } from '../domain/fault.ts'
import type { Received } from '../domain/report.ts'
import { createGroupCommit } from './group-commit.ts'

/** A disk whose every commit waits until the test lets it through. */
function aSlowDisk() {
  const commits: { readonly servers: string[]; readonly finish: () => void; readonly fail: (error: Error) => void }[] =
    []
  const commit = (received: Received<ReportBody>[]) => {
    const servers = received.map(({ report }) => report.target.server)
    const { promise, resolve, reject } = Promise.withResolvers<string[]>()
    commits.push({ servers, finish: () => resolve(servers), fail: reject })
    return promise
  }
  return { commits, submit: createGroupCommit(commit) }
}

const one = (server: string) => [aReceived({ server })]
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('group commit', () => {
  it('lets everything that arrived while the last commit ran share the next one', async () => {
    const { commits, submit } = aSlowDisk()
    const first = submit(one('a'), 1)
    const others = [submit(one('b'), 1), submit([...one('c'), ...one('d')], 1)]

    commits[0]?.finish()
    assert.deepEqual(await first, ['a'])
    await settled()
    commits[1]?.finish()

    assert.deepEqual(await Promise.all(others), [['b'], ['c', 'd']])
    assert.deepEqual(
      commits.map(({ servers }) => servers),
      [['a'], ['b', 'c', 'd']],
    )
  })

  it('answers nobody before the commit that holds their report', async () => {
    const { commits, submit } = aSlowDisk()
    let answered = false
    const answer = submit(one('a'), 1).then(() => {
      answered = true
    })

    await settled()
    assert.equal(answered, false)
    commits[0]?.finish()
    await answer
    assert.equal(answered, true)
  })

  it('tells everyone in a group when its commit fails, and takes the next', async () => {
    const { commits, submit } = aSlowDisk()
    const first = submit(one('a'), 1)
    const second = submit(one('b'), 1)

    commits[0]?.fail(new Fault('store_unavailable', 'full'))
    await assert.rejects(first, /full/)
    await settled()
    commits[1]?.finish()

    assert.deepEqual(await second, ['b'])
  })

  for (const [what, bytes, reports] of [
    ['reports', 1, 1_000],
    ['bytes', 8 * 1024 * 1024, 1],
  ] as const) {
    it(`refuses what is too much to wait, counted in ${what}, and keeps its promise to the others`, async () => {
      const { commits, submit } = aSlowDisk()
      const many = Array.from({ length: reports }, (_, n) => aReceived({ server: `s${n}` }))
      const answers = Array.from({ length: 30 }, () => submit(many, bytes))
      const outcomes = Promise.allSettled(answers)

      commits[0]?.finish()
      await settled()
      commits[1]?.finish()

      const refused = (await outcomes).flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
      assert.ok(refused.length > 0 && refused.length < 29)
      assert.deepEqual(new Set(refused), new Set(['overloaded']))
      assert.equal(commits.length, 2)
    })
  }

  it('takes a single submission of any size when nobody waits', async () => {
    const { commits, submit } = aSlowDisk()
    const first = submit(one('a'), 1)
    const large = submit(one('b'), 1024 ** 3)
    commits[0]?.finish()
    await first
    await settled()
    commits[1]?.finish()
    assert.deepEqual(await large, ['b'])
  })
})
