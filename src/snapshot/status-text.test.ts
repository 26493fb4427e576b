import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { aLedger, aReceived } from '../../test/server/a-report.ts'
import { EVERYTHING, parseSelection } from './selection.ts'
import { createSnapshot } from './snapshot.ts'

const START = Date.parse('2026-04-21T10:30:00Z')

// Names that would break a text that is put together carelessly.
const fileName = fc.oneof(
  fc.constantFrom(
    'rsyslog.conf',
    '"files":[]',
    '"items":[]',
    '"age_seconds":-1,"contact_age_seconds":-1,"full_check_age_seconds":-1',
    '$&',
    '$1',
    '\\',
  ),
  fc.string({ minLength: 1, unit: 'binary' }).filter((name) => name.isWellFormed() && !name.includes('\0')),
)

const report = fc.record({
  repo: fc.constantFrom('rsyslog', 'a', 'z'),
  server: fc.constantFrom('s1', 's2', 'S3', 's-4', '4'),
  second: fc.nat(3_600),
  status: fc.constantFrom('SYNCED', 'OUT_OF_SYNC', 'UNKNOWN'),
  names: fc.array(fileName, { minLength: 1, maxLength: 4 }),
  message: fileName,
  interval: fc.constantFrom(10, 120, 3_600),
  fullCheckSecond: fc.option(fc.nat(3_600)),
})

const SELECTIONS = [{}, { repo: 'a,z' }, { repo: 'a', server: 's1,S3' }, { status: 'UNKNOWN' }, { server: 's-4' }]

describe('/status.json as text', () => {
  it('says of any fleet at any time what the object says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(report, { maxLength: 12 }), fc.nat(900), async (reports, later) => {
        let passedMs = 0
        const now = () => new Date(START + passedMs)
        const clocks = { now, asOf: now, monotonicMs: () => passedMs, presentMs: () => passedMs, unseenMs: () => 0 }
        const snapshot = createSnapshot({ records: [], aliveAt: null }, clocks)
        const ledger = aLedger()
        for (const { repo, server, second, status, names, message, interval, fullCheckSecond } of reports) {
          passedMs += 7_000
          const last_check = new Date(START - second * 1_000).toISOString()
          const what =
            status === 'UNKNOWN'
              ? ({ sync_status: status, error: { code: 'unreachable', message } } as const)
              : { files: status === 'SYNCED' ? [] : names.map((name) => ({ name })) }
          const coverage = fullCheckSecond !== null && {
            coverage: {
              ...{ checked: 2, total: 2, unchecked: [], watched: 1 },
              full_check_at: new Date(START - fullCheckSecond * 1_000).toISOString(),
            },
          }
          const body = { repo, server, last_check, interval_seconds: interval, ...what, ...coverage }
          snapshot.follow(ledger.receive(aReceived(body, clocks.now().toISOString())))
        }
        passedMs += later * 1_000

        const { body } = await snapshot.rendered(EVERYTHING)

        assert.equal(body.toString(), JSON.stringify(snapshot.statusJson()))
        const rows = await snapshot.renderedRows(EVERYTHING, 50_000)
        assert.equal(rows.body.toString(), JSON.stringify(snapshot.statusJson().items))

        for (const query of SELECTIONS) {
          const selection = parseSelection(query, null)
          const expected = snapshot.statusJson(selection)
          assert.equal((await snapshot.rendered(selection)).body.toString(), JSON.stringify(expected))
          const first = await snapshot.renderedRows(selection, 2)
          assert.equal(first.body.toString(), JSON.stringify(expected.items.slice(0, 2)))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('shows so many files and rows of a fleet as the object does', async () => {
    const now = () => new Date(START)
    const clocks = { now, asOf: now, monotonicMs: () => 0, presentMs: () => 0, unseenMs: () => 0 }
    const snapshot = createSnapshot({ records: [], aliveAt: null }, clocks)
    const files = Array.from({ length: 5_000 }, (_, n) => ({ name: `f${n}` }))
    const servers = Array.from({ length: 11 }, (_, n) => aReceived({ server: `server-${n}`, files }))
    snapshot.follow(aLedger().receive(...servers))

    const shown = JSON.parse((await snapshot.rendered(EVERYTHING)).body.toString())

    assert.deepEqual([shown.files.length, shown.files_truncated, shown.drift_count], [50_000, true, 55_000])
    assert.deepEqual(shown, JSON.parse(JSON.stringify(snapshot.statusJson())))
  })
})
