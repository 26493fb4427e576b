import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { aReceived } from '../../test/server/a-report.ts'
import type { Store } from './store.ts'

const drifted = { files: [{ name: 'rsyslog.conf' }] }

const EVER = { targets: null, from: new Date(0), to: new Date(8e15), limit: 1_000, after: null }

async function latestOf(store: Store) {
  const { records } = await store.latest()
  return records.map(({ record }) => ({ newest: record.newest, lastKnown: record.lastKnown }))
}

/** A report at so many minutes past ten. */
function at(minute: number, overrides: Parameters<typeof aReceived>[0] = {}) {
  return aReceived({ last_check: `2026-04-21T10:${String(minute).padStart(2, '0')}:00Z`, ...overrides })
}

const clock = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().slice(11, 16))

/** Holds a store to the promises of `store.ts`, in the same words. `open` gives an empty one. */
export function describeStore(name: string, open: () => Promise<Store>, skip: string | false = false): void {
  describe(`store: ${name}`, { skip }, () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    afterEach(() => store.close())

    it('remembers reports in the order given', async () => {
      const first = aReceived({ last_check: '2026-04-21T10:30:00Z' })
      const second = aReceived({ last_check: '2026-04-21T10:32:00Z', ...drifted })

      await store.append([first, second])

      assert.deepEqual(await latestOf(store), [{ newest: second, lastKnown: second }])
    })

    it('says for each what was known of its target before and after it', async () => {
      const first = aReceived({ last_check: '2026-04-21T10:30:00Z' })
      const second = aReceived({ last_check: '2026-04-21T10:32:00Z', ...drifted })

      const appended = await store.append([first, second])

      const [one, two] = appended
      assert.ok(one?.duplicateOf === null && two?.duplicateOf === null)
      assert.deepEqual([one.before, one.after.newest, one.applied], [undefined, first, true])
      assert.deepEqual([two.before?.newest, two.after.newest, two.applied], [first, second, true])
    })

    it('stores nothing when a delivery is repeated, and says when the report came first', async () => {
      const first = aReceived({}, '2026-04-21T10:30:01Z')
      const again = aReceived({}, '2026-04-21T10:30:05Z')
      await store.append([first])

      const [appended] = await store.append([again])

      assert.deepEqual(appended?.duplicateOf, first.arrivedAt)
      assert.deepEqual(await latestOf(store), [{ newest: first, lastKnown: first }])
      assert.equal((await store.periods(EVER))[0]?.period.checks, 1)
    })

    it('takes A, B, A with one last_check for three reports, and shows A', async () => {
      const a = aReceived({}, '2026-04-21T10:30:01Z')
      const b = aReceived(drifted, '2026-04-21T10:30:02Z')
      const again = aReceived({}, '2026-04-21T10:30:03Z')

      for (const one of [a, b, again]) await store.append([one])

      assert.deepEqual(await latestOf(store), [{ newest: again, lastKnown: again }])
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

      assert.equal((await latestOf(store)).length, 3)
    })

    it('keeps an older report that comes late, which does not become the newest', async () => {
      const newer = aReceived({ last_check: '2026-04-21T10:32:00Z' })
      const late = aReceived({ last_check: '2026-04-21T10:30:00Z', ...drifted }, '2026-04-21T10:33:00Z')
      await store.append([newer])

      const [appended] = await store.append([late])
      const [again] = await store.append([late])

      assert.ok(appended?.duplicateOf === null && appended.applied === false)
      assert.deepEqual(again?.duplicateOf, late.arrivedAt)
      assert.deepEqual(await latestOf(store), [{ newest: newer, lastKnown: newer }])
    })

    it('keeps what was last known when a check fails', async () => {
      const drift = aReceived({ last_check: '2026-04-21T10:30:00Z', ...drifted })
      const failure = aReceived({ last_check: '2026-04-21T10:32:00Z', sync_status: 'UNKNOWN' })

      await store.append([drift, failure])

      assert.deepEqual(await latestOf(store), [{ newest: failure, lastKnown: drift }])
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
        coverage: {
          checked: 1,
          total: 2,
          unchecked: [{ name: 'restart', reason: 'skipped_in_check_mode' }],
          watched: 0,
          unwatched: [{ name: 'Install rsyslog', reason: 'no_path' }],
          full_check_at: '2026-04-21T10:16:00Z',
        },
        cause: 'BOTH',
        check: { method: 'fast', disagreement: 'the full check found no drift' },
        interval_seconds: 60,
      })

      await store.append([report])

      assert.deepEqual(await latestOf(store), [{ newest: report, lastKnown: report }])
    })

    it('has nothing at first, and knows when the server was last there', async () => {
      assert.deepEqual(await store.latest(), { records: [], seq: 0, aliveAt: null })
      await store.touch(new Date('2026-04-21T10:30:00Z'))
      await store.touch(new Date('2026-04-21T10:30:15Z'))
      assert.deepEqual(await store.latest(), { records: [], seq: 0, aliveAt: new Date('2026-04-21T10:30:15Z') })
    })

    it('knows what was recorded before a call that stores a report, or nobody else can record anything', async () => {
      const before = new Date()
      await store.append([aReceived()])

      const following = store.following()

      if (following === null) return
      assert.ok(following.asOf >= before, `${following.asOf.toISOString()} ${before.toISOString()}`)
      assert.ok(following.asOf <= new Date() && following.unconfirmedMs < 5_000)
    })

    it('takes nothing as nothing', async () => {
      assert.deepEqual(await store.append([]), [])
    })

    it('keeps a stretch in which nothing changes as one period, with its checks counted and what stayed out', async () => {
      for (const minute of [0, 2, 4, 9, 11]) await store.append([at(minute, { run_id: `run ${minute}` })])

      const [only, ...others] = await store.periods(EVER)

      assert.deepEqual(others, [])
      const { beganAt, lastArrivedAt, checks, gaps, missed, status } = only?.period ?? {}
      assert.deepEqual(
        [status, clock(beganAt ?? 0), clock(lastArrivedAt ?? 0), checks, gaps, missed],
        ['SYNCED', '10:00', '10:11', 5, 1, 2],
      )
    })

    it('begins a period when what is found changes, when a check fails, and when a target was STALE', async () => {
      await store.append([at(0), at(2, drifted), at(4, { files: [{ name: 'other.conf' }] })])
      await store.append([at(6, { sync_status: 'UNKNOWN' }), at(8), at(20)])

      const periods = (await store.periods(EVER)).toReversed()

      assert.deepEqual(
        periods.map(({ period, endedAt }) => `${clock(period.beganAt)} ${period.status} ${clock(endedAt)}`),
        [
          '10:00 SYNCED 10:02',
          '10:02 OUT_OF_SYNC 10:04',
          '10:04 OUT_OF_SYNC 10:06',
          '10:06 UNKNOWN 10:08',
          '10:08 SYNCED 10:20',
          '10:20 SYNCED null',
        ],
      )
      assert.deepEqual(periods[3]?.lastKnown?.report.body.files, [{ name: 'other.conf' }])
    })

    it('makes one episode of drift that a failed check and silence interrupt, with the windows it began and ended in', async () => {
      await store.append([at(0), at(2, drifted), at(4, { sync_status: 'UNKNOWN' })])
      await store.append([at(20, { files: [{ name: 'a' }, { name: 'b' }] }), at(22)])
      await store.append([at(30, drifted)])

      const [open, closed, ...others] = await store.episodes(EVER)

      assert.deepEqual(others, [])
      assert.deepEqual(
        [closed, open].map(
          (one) => one && [one.lastCleanAt, one.firstDirtyAt, one.lastDirtyAt, one.firstCleanAt].map(clock),
        ),
        [
          ['10:00', '10:02', '10:20', '10:22'],
          ['10:22', '10:30', '10:30', null],
        ],
      )
      assert.deepEqual([closed?.checks, closed?.maxDriftCount, closed?.target.server], [2, 2, 'rsyslog-lab'])
    })

    it('tells each target as it was known at any moment', async () => {
      await store.append([at(0), at(2, drifted), at(4)])
      await store.append([at(3, { server: 'other' })])
      const statesAt = async (minute: number) =>
        (await store.statesAt(new Date(at(minute).arrivedAt.getTime() + 30_000)))
          .map(({ newest: { report } }) => `${report.target.server} ${report.status} ${report.driftedFiles}`)
          .sort()

      assert.deepEqual(await store.statesAt(new Date('2026-04-21T09:59:59Z')), [])
      assert.deepEqual(await statesAt(0), ['rsyslog-lab SYNCED '])
      assert.deepEqual(await statesAt(2), ['rsyslog-lab OUT_OF_SYNC rsyslog.conf'])
      assert.deepEqual(await statesAt(4), ['other SYNCED ', 'rsyslog-lab SYNCED '])
    })

    it('misses no target in the past while reports come in', async () => {
      const servers = Array.from({ length: 200 }, (_, n) => `server-${n}`)
      await store.append(servers.map((server) => at(0, { server })))
      const then = new Date('2026-04-21T10:01:00Z')
      let isDone = false
      const changing = (async () => {
        for (const server of servers) await store.append([at(2, { server, ...drifted })])
        isDone = true
      })()

      while (!isDone) {
        const [states, periods] = await Promise.all([
          store.statesAt(then),
          store.periods({ ...EVER, from: then, to: then }),
        ])
        assert.deepEqual([states.length, periods.length], [200, 200])
        assert.ok(states.every(({ newest }) => newest.report.status === 'SYNCED'))
      }
      await changing
    })

    it('gives periods and episodes of some targets, in a span of time, page by page', async () => {
      for (const server of ['a', 'b', 'c']) {
        for (const minute of [0, 2, 4, 6, 8]) {
          await store.append([at(minute, { server, files: minute % 4 === 0 ? [] : [{ name: `f${minute}` }] })])
        }
      }
      const targets = ['a', 'b', 'nobody'].map((server) => ({ repo: 'rsyslog', server }))
      const query = { ...EVER, targets, from: new Date('2026-04-21T10:03:00Z'), to: new Date('2026-04-21T10:07:00Z') }

      const whole = await store.periods(query)
      const paged: typeof whole = []
      for (let more = true; more; ) {
        const last = paged.at(-1)
        const after = last && { beganAt: last.period.beganAt, targetId: last.targetId, number: last.number }
        const page = await store.periods({ ...query, limit: 2, after: after ?? null })
        paged.push(...page)
        more = page.length > 0
      }

      assert.deepEqual(paged, whole)
      assert.deepEqual(
        whole.map(({ newest, period }) => `${newest.report.target.server} ${clock(period.beganAt)}`),
        ['b 10:06', 'a 10:06', 'b 10:04', 'a 10:04', 'b 10:02', 'a 10:02'],
      )
      assert.deepEqual(
        (await store.episodes(query)).map(({ target, firstDirtyAt }) => `${target.server} ${clock(firstDirtyAt)}`),
        ['b 10:06', 'a 10:06', 'b 10:02', 'a 10:02'],
      )
      assert.equal((await store.episodes({ ...query, limit: 1 })).length, 1)
    })

    it('gives each of several periods and episodes of one target that began in the same moment, page by page', async () => {
      // A, B, A … with one last_check, and then reports that arrive in one millisecond.
      for (let second = 0; second < 7; second++) {
        await store.append([aReceived(second % 2 === 0 ? drifted : {}, `2026-04-21T10:30:0${second}Z`)])
      }
      for (let second = 1; second < 6; second++) {
        const one = { last_check: `2026-04-21T10:31:0${second}Z`, files: [{ name: `f${second}` }] }
        await store.append([aReceived(one, '2026-04-21T10:32:00Z')])
      }
      await store.append([aReceived({ server: 'other' })])

      const episodes = await store.episodes(EVER)
      const periods = await store.periods(EVER)
      assert.deepEqual(
        episodes.map(({ firstDirtyAt, firstCleanAt }) => `${clock(firstDirtyAt)} ${clock(firstCleanAt)}`),
        ['10:30 null', '10:30 10:30', '10:30 10:30', '10:30 10:30'],
      )
      assert.deepEqual(
        periods.map(({ newest: { report } }) => report.driftedFiles[0] ?? report.status),
        ['f5', 'f4', 'f3', 'f2', 'f1', ...Array(3).fill(['rsyslog.conf', 'SYNCED']).flat(), 'SYNCED', 'rsyslog.conf'],
      )
      for (const limit of [1, 2, 3]) {
        const pagedEpisodes: typeof episodes = []
        for (let last: (typeof episodes)[0] | undefined, page = [1] as unknown[]; page.length > 0; ) {
          const after = last ? { ...last, beganAt: last.firstDirtyAt } : null
          const next = await store.episodes({ ...EVER, limit, after })
          pagedEpisodes.push(...next)
          last = next.at(-1)
          page = next
        }
        assert.deepEqual(pagedEpisodes, episodes)
        const pagedPeriods: typeof periods = []
        for (let last: (typeof periods)[0] | undefined, page = [1] as unknown[]; page.length > 0; ) {
          const after = last ? { ...last, beganAt: last.period.beganAt } : null
          const next = await store.periods({ ...EVER, limit, after })
          pagedPeriods.push(...next)
          last = next.at(-1)
          page = next
        }
        assert.deepEqual(pagedPeriods, periods)
      }
    })

    it('says since when each file is there, also of one that another one joined', async () => {
      await store.append([at(0, { files: [{ name: 'a' }] }), at(2, { files: [{ name: 'b' }, { name: 'a' }] }), at(4)])
      await store.append([at(6, { files: [{ name: 'a' }] }), at(8, { files: [{ name: 'a' }] })])

      const [only] = (await store.latest()).records
      assert.deepEqual(only?.record.filesSince.map(clock), ['10:06'])
      const { before } = [...(await store.append([at(10)]))].find((one) => one.duplicateOf === null) ?? {}
      assert.deepEqual(before?.filesSince.map(clock), ['10:06'])
    })

    it('calls back with every change, once, numbered one by one, before the call is over', async () => {
      const seen: string[] = []
      store.subscribe((changes) => {
        for (const one of changes) {
          seen.push(
            'removed' in one
              ? `${one.seq} removed ${one.removed.server}`
              : `${one.seq} ${one.after.newest.report.status}`,
          )
        }
      })

      await store.append([at(0), at(2, drifted), at(2, drifted), at(1)])
      assert.deepEqual(seen, ['1 SYNCED', '2 OUT_OF_SYNC'])
      await store.remove({ repo: 'rsyslog', server: 'rsyslog-lab' }, new Date())
      await Promise.all([3, 4, 5].map((minute) => store.append([at(minute, { server: `server-${minute}` })])))
      assert.deepEqual(
        seen.slice(2).map((one) => one.split(' ')[0]),
        ['3', '4', '5', '6'],
      )
      assert.equal((await store.latest()).seq, 6)
    })

    it('has the epochs of every change that is passed on by then, the oldest first', async () => {
      const known: boolean[] = []
      store.subscribe((changes) => {
        const afters = store.epochs().map(({ after }) => after)
        assert.deepEqual(
          afters,
          afters.toSorted((a, b) => a - b),
        )
        for (const { seq } of changes) known.push(afters.some((after) => after < seq))
      })
      const before = store.epochs()
      await store.append([at(0)])
      await store.append([at(2)])

      assert.deepEqual(known, [true, true])
      assert.deepEqual(store.epochs().slice(0, 1), before)
    })

    it('forgets a target with its history, and begins anew with its next report', async () => {
      const target = { repo: 'rsyslog', server: 'rsyslog-lab' }
      assert.equal(await store.remove(target, new Date()), false)
      await store.append([at(0), at(2, drifted), at(4), at(1), at(3, { server: 'other' })])

      assert.equal(await store.remove(target, new Date()), true)

      assert.deepEqual(
        (await store.periods(EVER)).map(({ newest }) => newest.report.target.server),
        ['other'],
      )
      assert.deepEqual(await store.episodes(EVER), [])
      const [first] = await store.append([at(1)])
      assert.ok(first?.duplicateOf === null && first.before === undefined && first.applied)
      assert.equal((await store.periods(EVER)).length, 2)
    })

    it('forgets history that was over before a moment, and keeps what is known now, however old it is', async () => {
      await store.append([at(0), at(2, drifted), at(4, { sync_status: 'UNKNOWN' }), at(1)])
      await store.append([at(0, { server: 'old' })])
      const before = await latestOf(store)

      assert.equal(await store.prune(new Date('2026-04-21T10:01:00Z')), 0)
      assert.ok((await store.prune(new Date('2026-04-21T11:00:00Z'))) >= 3)

      assert.deepEqual(
        (await store.periods(EVER)).map(({ period, endedAt }) => `${clock(period.beganAt)} ${endedAt}`),
        ['10:04 null', '10:00 null'],
      )
      assert.equal((await store.episodes(EVER)).length, 1)
      assert.deepEqual(await latestOf(store), before)
      assert.equal(await store.prune(new Date('2026-04-21T11:00:00Z')), 0)
    })
  })
}
