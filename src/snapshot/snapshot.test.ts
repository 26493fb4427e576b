import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aLedger, aReceived } from '../../test/server/a-report.ts'
import { parseSelection } from './selection.ts'
import { createSnapshot } from './snapshot.ts'

/** A server that starts at this time with what it knew before. */
function aSnapshot(at: string, ...known: ReturnType<typeof aReceived>[]) {
  return aSnapshotAfter(null, at, ...known)
}

/** The same, when the server before it was last known to be there at this time. */
function aSnapshotAfter(aliveAt: Date | null, at: string, ...known: ReturnType<typeof aReceived>[]) {
  const ledger = aLedger()
  ledger.receive(...known)
  let passedMs = 0
  let unseenMs = 0
  const now = () => new Date(Date.parse(at) + passedMs)
  const snapshot = createSnapshot(
    { ...ledger.known(), aliveAt },
    {
      now,
      asOf: now,
      monotonicMs: () => passedMs,
      presentMs: () => passedMs,
      unseenMs: () => unseenMs,
    },
  )
  return {
    receive: (received: ReturnType<typeof aReceived>) => snapshot.follow(ledger.receive(received)),
    /** What another server has taken, after this one was cut off for so long. */
    hear: (received: ReturnType<typeof aReceived>, { cutOffForSeconds }: { cutOffForSeconds: number }) => {
      unseenMs = cutOffForSeconds * 1_000
      snapshot.follow(ledger.receive(received))
      unseenMs = 0
    },
    advance: (seconds: number) => {
      passedMs += seconds * 1_000
    },
    shown: () => {
      const { sync_status, freshness, age_seconds, contact_age_seconds } = snapshot.statusJson()
      return { sync_status, freshness, age_seconds, contact_age_seconds }
    },
    statusJson: snapshot.statusJson,
    summary: snapshot.summary,
    newlySilent: () => snapshot.newlySilent().map(({ server }) => server),
    rowText: (server: string) => snapshot.rowText({ repo: 'rsyslog', server }),
  }
}

describe('the snapshot', () => {
  it('gives each target one full period and grace after a restart, and tells the true ages', () => {
    const { shown, advance } = aSnapshot('2026-04-21T11:00:00Z', aReceived({ last_check: '2026-04-21T10:30:00Z' }))

    assert.deepEqual(shown(), {
      sync_status: 'SYNCED',
      freshness: 'FRESH',
      age_seconds: 1_800,
      contact_age_seconds: 1_800,
    })
    advance(300)
    assert.equal(shown().freshness, 'LATE')
    advance(1)
    assert.deepEqual(shown(), {
      sync_status: 'UNKNOWN',
      freshness: 'STALE',
      age_seconds: 2_101,
      contact_age_seconds: 2_101,
    })
  })

  it('does not take a late report for a sign of life', () => {
    const { shown, advance, receive } = aSnapshot(
      '2026-04-21T10:30:00Z',
      aReceived({ last_check: '2026-04-21T10:30:00Z' }),
    )
    advance(301)
    receive(aReceived({ last_check: '2026-04-21T10:00:00Z' }, '2026-04-21T10:35:01Z'))
    assert.equal(shown().freshness, 'STALE')
  })

  it('keeps what was STALE while a server was there STALE after a restart, and nothing else', () => {
    const { statusJson, receive } = aSnapshotAfter(
      new Date('2026-04-21T10:40:00Z'),
      '2026-04-21T11:00:00Z',
      aReceived({ server: 'silent', last_check: '2026-04-21T10:30:00Z' }),
      aReceived({ server: 'heard', last_check: '2026-04-21T10:36:00Z' }),
    )
    const shown = () =>
      statusJson().items.map(({ server, freshness, since }) => `${server} ${freshness} since ${since}`)

    assert.deepEqual(shown(), ['silent STALE since 2026-04-21T10:35:00Z', 'heard FRESH since 2026-04-21T10:36:00Z'])
    assert.equal(statusJson().items[0]?.contact_age_seconds, 1_800)
    receive(aReceived({ server: 'silent', last_check: '2026-04-21T11:00:00Z' }))
    assert.deepEqual(shown(), ['heard FRESH since 2026-04-21T10:36:00Z', 'silent FRESH since 2026-04-21T11:00:00Z'])
  })

  it('says since when the drift is there, whatever failed in between, and between which checks it began', () => {
    const { receive, statusJson } = aSnapshot('2026-04-21T10:30:00Z')
    receive(aReceived({ last_check: '2026-04-21T10:26:00Z' }))
    receive(aReceived({ last_check: '2026-04-21T10:28:00Z', files: [{ name: 'a' }] }))
    receive(aReceived({ last_check: '2026-04-21T10:30:00Z', sync_status: 'UNKNOWN' }))
    const [row] = statusJson().items
    assert.deepEqual(
      [row?.since, row?.drift_since, row?.last_clean],
      ['2026-04-21T10:30:00Z', '2026-04-21T10:28:00Z', '2026-04-21T10:26:00Z'],
    )
  })

  it('shows the drift of a late finding after a failed check', () => {
    const { receive, statusJson } = aSnapshot('2026-04-21T10:30:00Z')
    receive(aReceived({ sync_status: 'UNKNOWN', last_check: '2026-04-21T10:30:00Z' }))
    receive(aReceived({ files: [{ name: 'a' }], last_check: '2026-04-21T10:29:00Z' }, '2026-04-21T10:30:02Z'))
    const { sync_status, drift_count, last_check } = statusJson()
    assert.deepEqual([sync_status, drift_count, last_check], ['UNKNOWN', 1, '2026-04-21T10:30:00Z'])
  })

  it('never shows a negative age, with a reporter whose clock is ahead', () => {
    const { receive, shown } = aSnapshot('2026-04-21T10:30:00Z')
    receive(aReceived({ last_check: '2026-04-21T10:34:00Z' }, '2026-04-21T10:30:00Z'))
    assert.equal(shown().age_seconds, 0)
  })

  it('tells each time once which targets have become LATE or STALE', () => {
    const { receive, advance, newlySilent, rowText } = aSnapshot('2026-04-21T10:30:00Z')
    assert.deepEqual(newlySilent(), [])
    receive(aReceived({ server: 'a' }))
    receive(aReceived({ server: 'b', interval_seconds: 3_600 }))
    assert.deepEqual(newlySilent(), [])
    advance(121)
    assert.deepEqual([newlySilent(), newlySilent()], [['a'], []])
    advance(180)
    assert.deepEqual([newlySilent(), newlySilent()], [['a'], []])
    assert.equal(JSON.parse(rowText('a') ?? '').freshness, 'STALE')
    receive(aReceived({ server: 'a', last_check: '2026-04-21T10:36:00Z' }))
    assert.deepEqual(newlySilent(), [])
    assert.equal(rowText('nobody'), null)
  })

  it('tells what another server calls silent that gives no new grace, since it was there all the time', () => {
    const { advance, newlySilent, shown } = aSnapshotAfter(
      new Date('2026-04-21T10:31:00Z'),
      '2026-04-21T10:31:00Z',
      aReceived({ last_check: '2026-04-21T10:30:00Z' }, '2026-04-21T10:30:00Z'),
    )
    const toldAfter = (seconds: number) => {
      advance(seconds)
      return [newlySilent().length, newlySilent().length, shown().freshness]
    }

    assert.deepEqual(toldAfter(60), [0, 0, 'FRESH'])
    assert.deepEqual(toldAfter(1), [1, 0, 'FRESH'], 'LATE there')
    assert.deepEqual(toldAfter(60), [1, 0, 'LATE'])
    assert.deepEqual(toldAfter(120), [1, 0, 'LATE'], 'STALE there')
    assert.deepEqual(toldAfter(60), [1, 0, 'STALE'])
  })

  it('counts silence from when a report came to another server while this one was cut off', () => {
    const arrived = (server: string, time: string) => aReceived({ server, last_check: time }, time)
    const { receive, hear, advance, newlySilent, statusJson } = aSnapshot('2026-04-21T10:30:00Z')
    receive(arrived('known', '2026-04-21T10:30:00Z'))
    advance(600)
    newlySilent()

    for (const server of ['known', 'new']) hear(arrived(server, '2026-04-21T10:35:00Z'), { cutOffForSeconds: 400 })
    hear(arrived('clock-behind', '2026-04-21T10:30:00Z'), { cutOffForSeconds: 10 })
    hear(arrived('clock-ahead', '2026-04-21T10:50:00Z'), { cutOffForSeconds: 10 })

    const shown = () => {
      const rows = statusJson().items.map((row) => [row.server, [row.freshness, row.contact_age_seconds]])
      return Object.fromEntries(rows)
    }
    assert.deepEqual(shown(), {
      known: ['LATE', 300],
      new: ['LATE', 300],
      'clock-behind': ['FRESH', 10],
      'clock-ahead': ['FRESH', 0],
    })
    assert.deepEqual(newlySilent(), [], 'they are told as they show')
    advance(1)
    assert.deepEqual(shown().known, ['STALE', 301])
  })

  it('counts in the period that each reporter promised', () => {
    const { receive, advance, statusJson } = aSnapshot('2026-04-21T10:30:00Z')
    receive(aReceived({ server: 'hourly', interval_seconds: 3_600 }))
    receive(aReceived({ server: 'quick', interval_seconds: 10 }))
    advance(26)
    assert.deepEqual(
      statusJson().items.map(({ server, freshness }) => `${server} ${freshness}`),
      ['quick STALE', 'hourly FRESH'],
    )
  })

  it('says when there are more files than it shows', () => {
    const { receive, statusJson } = aSnapshot('2026-04-21T10:30:00Z')
    const files = Array.from({ length: 5_000 }, (_, n) => ({ name: `f${n}` }))
    receive(aReceived({ server: 'cut', files, drift_count: 9_000, files_truncated: true }))
    assert.deepEqual([statusJson().drift_count, statusJson().files_truncated], [9_000, true])

    for (let n = 0; n < 10; n++) receive(aReceived({ server: `full-${n}`, files }))
    const { drift_count, files: shown, files_truncated } = statusJson()
    assert.deepEqual([drift_count, shown.length, files_truncated], [59_000, 50_000, true])
  })

  it('is summed up as the worst of what was selected, and how many show that', async () => {
    const { receive, advance, summary } = aSnapshot('2026-04-21T10:30:00Z')
    const of = (server: string) => summary(parseSelection({ server }, null))
    assert.deepEqual(await of('nobody'), {
      status: 'UNKNOWN',
      reason: 'never_reported',
      driftCount: 0,
      targetCount: 0,
      worstCount: 0,
      gapCount: 0,
      gap: null,
    })

    receive(aReceived({ server: 'drifted', files: [{ name: 'a' }, { name: 'b' }] }))
    receive(aReceived({ server: 'clean' }))
    receive(aReceived({ server: 'failed', sync_status: 'UNKNOWN' }))
    receive(aReceived({ server: 'silent', interval_seconds: 10 }))
    advance(30)

    const known = { reason: null, driftCount: 0, targetCount: 1, worstCount: 1, gapCount: 0, gap: null }
    assert.deepEqual(await of('clean'), { ...known, status: 'SYNCED' })
    assert.deepEqual(await of('drifted,clean'), { ...known, status: 'OUT_OF_SYNC', driftCount: 2, targetCount: 2 })
    const unknown = { ...known, status: 'UNKNOWN', reason: 'check_failed', targetCount: 3, worstCount: 2 }
    assert.deepEqual(await of('clean,failed,silent'), unknown)
    assert.deepEqual(await of('failed'), { ...known, status: 'UNKNOWN', reason: 'check_failed' })
    assert.deepEqual(await of('*'), { ...known, status: 'OUT_OF_SYNC', driftCount: 2, targetCount: 4 })

    const half = { checked: 4, total: 4, unchecked: [], watched: 2, unwatched: [] }
    receive(aReceived({ server: 'half', coverage: half }))
    receive(aReceived({ server: 'part', coverage: { ...half, checked: 3 } }))
    const parts = { ...known, status: 'SYNCED', gapCount: 1 }
    assert.deepEqual(await of('half'), { ...parts, gap: { done: 2, of: 4, what: 'watched' } })
    assert.deepEqual(await of('part'), { ...parts, gap: { done: 3, of: 4, what: 'checked' } })
    assert.equal((await of('clean,half,part')).gapCount, 2)
  })
})
