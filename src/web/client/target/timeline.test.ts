import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PeriodRow } from '../../../contract/target-history.ts'
import { partsIn, spanFor, stretchesIn, sumsOf, ticksIn } from './timeline.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SPAN = { from: Date.parse('2026-04-21T10:00:00Z'), to: Date.parse('2026-04-21T12:00:00Z') }

function aPeriod({ began_at, ended_at, ...overrides }: Partial<PeriodRow> & { began_at: string }): PeriodRow {
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: 'SYNCED',
    status_code: 0,
    drift_count: 0,
    cause: null,
    began_at: on(began_at),
    ended_at: ended_at == null ? null : on(ended_at),
    is_open: ended_at == null ? 1 : 0,
    first_check: on(began_at),
    last_check: on(began_at),
    last_arrival: on(began_at),
    checks: 1,
    gaps: 0,
    missed_checks: 0,
    interval_seconds: 120,
    error_code: null,
    revision: null,
    ...overrides,
    stale_since: overrides.stale_since == null ? null : on(overrides.stale_since),
  }
}

function on(time: string): string {
  return `2026-04-21T${time}:00Z`
}

function drawn(periods: readonly PeriodRow[]) {
  return stretchesIn(SPAN, periods).map(({ kind, from, to }) => [kind, clock(from), clock(to)])
}

function clock(moment: number): string {
  return new Date(moment).toISOString().slice(11, 16)
}

describe('the timeline', () => {
  it('goes from the oldest to the newest, whatever order the periods came in', () => {
    const periods = [
      aPeriod({ began_at: '11:00', sync_status: 'OUT_OF_SYNC' }),
      aPeriod({ began_at: '10:30', ended_at: '11:00' }),
    ]
    assert.deepEqual(drawn(periods), [
      ['SYNCED', '10:30', '11:00'],
      ['OUT_OF_SYNC', '11:00', '12:00'],
    ])
  })

  it('cuts what began before the span and what goes on after it', () => {
    const periods = [
      aPeriod({ began_at: '09:00', ended_at: '10:15' }),
      aPeriod({ began_at: '11:30', ended_at: '13:00', sync_status: 'UNKNOWN' }),
    ]
    assert.deepEqual(drawn(periods), [
      ['SYNCED', '10:00', '10:15'],
      ['UNKNOWN', '11:30', '12:00'],
    ])
  })

  it('leaves out what lies outside of it', () => {
    assert.deepEqual(drawn([aPeriod({ began_at: '08:00', ended_at: '09:00' }), aPeriod({ began_at: '12:00' })]), [])
  })

  it('shows silence as silence, from when the grace was over until the next report', () => {
    assert.deepEqual(drawn([aPeriod({ began_at: '10:00', ended_at: '11:00', stale_since: '10:20' })]), [
      ['SYNCED', '10:00', '10:20'],
      ['silent', '10:20', '11:00'],
    ])
    assert.deepEqual(drawn([aPeriod({ began_at: '10:00', stale_since: '10:20' })]), [
      ['SYNCED', '10:00', '10:20'],
      ['silent', '10:20', '12:00'],
    ])
  })

  it('counts no check for silence', () => {
    const [, silent] = stretchesIn(SPAN, [aPeriod({ began_at: '10:00', stale_since: '10:20', checks: 5 })])
    assert.deepEqual([silent?.kind, silent?.checks], ['silent', 0])
  })

  it('counts no checks where some of them came after its end', () => {
    const period = { ...aPeriod({ began_at: '10:00', checks: 5 }), last_arrival: on('12:30') }
    assert.deepEqual(
      stretchesIn(SPAN, [period]).map(({ checks }) => checks),
      [0],
    )
  })

  it('goes up to now while the moment that is shown lies in it, and else up to that moment', () => {
    const { to: now } = SPAN
    assert.deepEqual(spanFor(HOUR, null, now), { from: now - HOUR, to: now })
    assert.deepEqual(spanFor(HOUR, now - MINUTE, now), { from: now - HOUR, to: now })
    assert.deepEqual(spanFor(HOUR, now - 3 * HOUR, now), { from: now - 4 * HOUR, to: now - 3 * HOUR })
  })

  it('leaves empty what was not known: nothing is drawn between two periods that do not meet', () => {
    assert.deepEqual(
      drawn([aPeriod({ began_at: '10:10', ended_at: '10:20' }), aPeriod({ began_at: '11:00', ended_at: '11:10' })]),
      [
        ['SYNCED', '10:10', '10:20'],
        ['SYNCED', '11:00', '11:10'],
      ],
    )
  })

  it('never draws outside of the span, and sums up what it draws', () => {
    const time = fc.integer({ min: 0, max: 23 * 60 + 59 }).map((minute) => {
      const two = (value: number) => String(value).padStart(2, '0')
      return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
    })
    const period = fc
      .record({ began_at: time, ended_at: fc.option(time), stale_since: fc.option(time) })
      .map((times) => aPeriod(times))
    fc.assert(
      fc.property(fc.array(period), (periods) => {
        const stretches = stretchesIn(SPAN, periods)
        for (const { from, to } of stretches) assert.ok(SPAN.from <= from && from < to && to <= SPAN.to)
        const sums = Object.values(sumsOf(stretches)).reduce((sum, one) => sum + one, 0)
        assert.equal(
          sums,
          stretches.reduce((sum, { from, to }) => sum + to - from, 0),
        )
      }),
    )
  })

  for (const [words, length, most] of [
    ['a day', 24 * HOUR, 8],
    ['a week', 7 * 24 * HOUR, 8],
    ['90 days', 90 * 24 * HOUR, 8],
    ['ten years', 3_652 * 24 * HOUR, 60],
  ] as const) {
    it(`has a few marks at even distances in ${words}`, () => {
      const ticks = ticksIn('local', { from: SPAN.to - length, to: SPAN.to })
      assert.ok(ticks.length >= 2 && ticks.length <= most + 1, String(ticks.length))
      assert.ok(ticks.every((tick) => tick >= SPAN.to - length && tick <= SPAN.to))
      const steps = new Set(ticks.slice(1).map((tick, index) => tick - (ticks[index] ?? 0)))
      assert.equal(steps.size, 1)
    })
  }
})

describe('the periods of a timeline', () => {
  it('name what nothing is known of, before, between and after what is', () => {
    const known = stretchesIn(SPAN, [
      aPeriod({ began_at: '10:30', ended_at: '11:00' }),
      aPeriod({ began_at: '11:15', ended_at: '11:30', sync_status: 'OUT_OF_SYNC' }),
    ])
    const parts = partsIn(SPAN, known)
    assert.deepEqual(
      parts.map(({ kind, from, to }) => [kind, (from - SPAN.from) / MINUTE, (to - SPAN.from) / MINUTE]),
      [
        ['nothing', 0, 30],
        ['SYNCED', 30, 60],
        ['nothing', 60, 75],
        ['OUT_OF_SYNC', 75, 90],
        ['nothing', 90, 120],
      ],
    )
    assert.deepEqual(partsIn(SPAN, []).length, 1)
  })
})
