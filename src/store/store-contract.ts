import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { aReceived } from '../../test/server/a-report.ts'
import type { Store } from './store.ts'

const drifted = { files: [{ name: 'rsyslog.conf' }] }

/** Holds a store to the promises of `store.ts`, in the same words. `open` gives an empty one. */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`store: ${name}`, () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    afterEach(() => store.close())

    it('remembers reports in the order given', async () => {
      const first = aReceived({ last_check: '2026-04-21T10:30:00Z' })
      const second = aReceived({ last_check: '2026-04-21T10:32:00Z', ...drifted })

      await store.append([first, second])

      assert.deepEqual(await store.latest(), [{ newest: second, lastKnown: second }])
    })

    it('says for each what was known of its target before and after it', async () => {
      const first = aReceived({ last_check: '2026-04-21T10:30:00Z' })
      const second = aReceived({ last_check: '2026-04-21T10:32:00Z', ...drifted })

      const appended = await store.append([first, second])

      const afterFirst = { newest: first, lastKnown: first }
      const afterSecond = { newest: second, lastKnown: second }
      assert.deepEqual(appended, [
        { received: first, applied: true, before: undefined, after: afterFirst, duplicateOf: null },
        { received: second, applied: true, before: afterFirst, after: afterSecond, duplicateOf: null },
      ])
    })

    it('stores nothing when the same content for the same target comes again', async () => {
      const first = aReceived({}, '2026-04-21T10:30:01Z')
      const again = aReceived({}, '2026-04-21T10:30:05Z')
      await store.append([first])

      const appended = await store.append([again])

      const state = { newest: first, lastKnown: first }
      assert.deepEqual(appended, [{ duplicateOf: first.arrivedAt, state }])
      assert.deepEqual(await store.latest(), [state])
    })

    it('finds a repeated delivery among the older reports, too, and within one call', async () => {
      const old = aReceived({ last_check: '2026-04-21T10:30:00Z' })
      const newer = aReceived({ last_check: '2026-04-21T10:32:00Z' })

      const appended = await store.append([old, newer, old, newer])

      assert.deepEqual(
        appended.map(({ duplicateOf }) => duplicateOf),
        [null, null, old.arrivedAt, newer.arrivedAt],
      )
    })

    it('keeps the same content of two targets apart', async () => {
      await store.append([
        aReceived({ server: 'a' }),
        aReceived({ server: 'b' }),
        aReceived({ repo: 'b', server: 'a' }),
      ])

      assert.equal((await store.latest()).length, 3)
    })

    it('keeps an older report that comes late, which does not become the newest', async () => {
      const newer = aReceived({ last_check: '2026-04-21T10:32:00Z' })
      const late = aReceived({ last_check: '2026-04-21T10:30:00Z', ...drifted }, '2026-04-21T10:33:00Z')
      await store.append([newer])

      const [appended] = await store.append([late])
      const [again] = await store.append([late])

      assert.ok(appended?.duplicateOf === null && appended.applied === false)
      assert.deepEqual(again?.duplicateOf, late.arrivedAt)
      assert.deepEqual(await store.latest(), [{ newest: newer, lastKnown: newer }])
    })

    it('keeps what was last known when a check fails', async () => {
      const drift = aReceived({ last_check: '2026-04-21T10:30:00Z', ...drifted })
      const failure = aReceived({ last_check: '2026-04-21T10:32:00Z', sync_status: 'UNKNOWN' })

      await store.append([drift, failure])

      assert.deepEqual(await store.latest(), [{ newest: failure, lastKnown: drift }])
    })

    it('lets one of two calls at once see the reports of the other', async () => {
      const reports = Array.from({ length: 50 }, (_, second) => {
        return aReceived({ last_check: `2026-04-21T10:30:${String(second).padStart(2, '0')}Z` })
      })

      const appended = (await Promise.all(reports.map((one) => store.append([one])))).flat()

      const sawNothing = appended.filter((one) => one.duplicateOf === null && one.before === undefined)
      assert.equal(sawNothing.length, 1)
    })

    it('stores one of a hundred equal reports at once', async () => {
      const appended = (await Promise.all(Array.from({ length: 100 }, () => store.append([aReceived()])))).flat()

      assert.equal(appended.filter(({ duplicateOf }) => duplicateOf === null).length, 1)
    })

    it('gives back every field, and names as they were, whatever is in them', async () => {
      const report = aReceived({
        repo: 'owner/name',
        files: ['a b', "'; DROP TABLE report; --", '"quoted"\n\t', '\u202egpj.exe', '😀'.repeat(100)].map((name) => ({
          name,
          change: 'modified',
          expected: { sha256: 'a'.repeat(64), mode: '0644', owner: 'root' },
          actual: { mode: '0600' },
        })),
        revision: { commit: 'abc', branch: 'master', url: 'https://git.example/abc' },
        coverage: { checked: 1, total: 2, unchecked: [{ name: 'restart', reason: 'skipped_in_check_mode' }] },
        interval_seconds: 60,
      })

      await store.append([report])

      assert.deepEqual(await store.latest(), [{ newest: report, lastKnown: report }])
    })

    it('has nothing at first, and nothing more after a look whether it can write', async () => {
      await store.checkWritable()
      await store.checkWritable()

      assert.deepEqual(await store.latest(), [])
    })

    it('takes nothing as nothing', async () => {
      assert.deepEqual(await store.append([]), [])
    })
  })
}
