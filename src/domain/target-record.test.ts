import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ClosedPeriod } from './period.ts'
import type { Received, SyncStatus } from './report.ts'
import { record, repetitionOf, type TargetRecord } from './target-record.ts'

const START = Date.parse('2026-04-21T10:00:00Z')
const minutes = (ms: number | null | undefined) => (ms == null ? null : (ms - START) / 60_000)

interface Made {
  readonly status: SyncStatus
  readonly files?: readonly string[]
  /** In minutes after the start. */
  readonly checked: number
  readonly arrived?: number
  readonly every?: number
}

function aReceived({ status, files = [], checked, arrived = checked, every = 2 }: Made): Received {
  const content = `${status} ${files}`
  const at = (minute: number) => new Date(START + minute * 60_000)
  return {
    report: {
      target: { repo: 'rsyslog', server: 'rsyslog-lab' },
      key: 'rsyslog rsyslog-lab',
      status,
      checkedAt: at(checked),
      driftCount: files.length,
      driftedFiles: files,
      periodMs: every * 60_000,
      content,
      check: `${checked}`,
      mark: checked * 1_000 + content.length,
      body: null,
    },
    arrivedAt: at(arrived),
  }
}

/** What these reports leave behind, and every period that they closed. */
function after(...made: readonly Made[]) {
  const closed: ClosedPeriod[] = []
  const last = made.map(aReceived).reduce<TargetRecord | undefined>((before, one) => {
    if (repetitionOf(before, one) !== null) return before
    const recording = record(before, one)
    if (recording.closedPeriod !== null) closed.push(recording.closedPeriod)
    return recording.after
  }, undefined)
  assert.ok(last !== undefined)
  return { last, closed }
}

const synced = (checked: number, rest: Partial<Made> = {}): Made => ({ status: 'SYNCED', checked, ...rest })
const failed = (checked: number, rest: Partial<Made> = {}): Made => ({ status: 'UNKNOWN', checked, ...rest })
const drifted = (checked: number, files = ['a'], rest: Partial<Made> = {}): Made => ({
  status: 'OUT_OF_SYNC',
  files,
  checked,
  ...rest,
})

describe('what is kept of a target', () => {
  it('loses no check: each is counted in one period, and each period begins where the one before ended', () => {
    const made = fc
      .uniqueArray(
        fc.record({
          status: fc.constantFrom<SyncStatus>('SYNCED', 'OUT_OF_SYNC', 'UNKNOWN'),
          files: fc.subarray(['a', 'b'], { minLength: 1 }),
          checked: fc.integer({ min: 0, max: 60 }),
          arrived: fc.integer({ min: 0, max: 60 }),
        }),
        { minLength: 1, selector: ({ arrived }) => arrived },
      )
      .map((all) => all.sort((a, b) => a.arrived - b.arrived))
      .map((all) => all.map((one) => (one.status === 'OUT_OF_SYNC' ? one : { ...one, files: [] })))
    fc.assert(
      fc.property(made, (all) => {
        let state: TargetRecord | undefined
        let applied = 0
        const closed: ClosedPeriod[] = []
        for (const one of all.map(aReceived)) {
          if (repetitionOf(state, one) !== null) continue
          const recording = record(state, one)
          applied += recording.applied ? 1 : 0
          if (recording.closedPeriod !== null) closed.push(recording.closedPeriod)
          state = recording.after
        }
        assert.ok(state !== undefined)
        const periods = [...closed.map(({ period }) => period), state.period]
        assert.equal(
          periods.reduce((sum, { checks }) => sum + checks, 0),
          applied,
        )
        assert.deepEqual(
          closed.map(({ endedAt }) => endedAt),
          periods.slice(1).map(({ beganAt }) => beganAt),
        )
        assert.equal(state.episode !== null, state.lastKnown?.report.status === 'OUT_OF_SYNC')
      }),
      { numRuns: 1_000 },
    )
  })

  it('says since when the status is what it is, whatever it found and which checks found it', () => {
    assert.equal(minutes(after(synced(0), synced(2), synced(4)).last.since), 0)
    assert.equal(minutes(after(synced(0), drifted(2), drifted(4, ['a', 'b'])).last.since), 2)
    assert.equal(minutes(after(drifted(0), failed(2), drifted(4)).last.since), 4)
  })

  it('does not claim a status for a time in which the target was STALE', () => {
    const { last, closed } = after(synced(0), synced(2), synced(8))
    assert.deepEqual([minutes(last.since), closed.length], [8, 1])
    assert.deepEqual(after(synced(0), synced(2), synced(7)).closed, []) // at the end of the grace, not after it
  })

  it('counts the checks that stayed out by what the newest report promised', () => {
    const { last } = after(synced(0, { every: 10 }), synced(10, { every: 10 }), synced(32, { every: 10 }))
    assert.deepEqual([last.period.checks, last.period.gaps, last.period.missed], [3, 1, 1])
  })

  it('goes on with an episode over failed checks and silence, and ends it with the first clean check', () => {
    const open = after(synced(0), drifted(2), failed(4), drifted(30, ['a', 'b'])).last.episode
    assert.deepEqual([open?.lastCleanAt, open?.firstDirtyAt, open?.lastDirtyAt, open?.firstCleanAt].map(minutes), [
      0,
      2,
      30,
      null,
    ])
    assert.deepEqual([open?.checks, open?.maxDriftCount], [2, 2])
    assert.equal(after(drifted(2), failed(4), synced(6)).last.episode, null)
    assert.equal(after(failed(0), drifted(2)).last.episode?.lastCleanAt, null)
  })

  it('knows of each file since when it is there', () => {
    const filesSince = (...made: Made[]) => after(...made).last.filesSince.map(minutes)
    assert.deepEqual(filesSince(drifted(0, ['a']), drifted(2, ['b', 'a']), drifted(4, ['b', 'a'])), [2, 0])
    assert.deepEqual(filesSince(drifted(0, ['a']), failed(2), drifted(4, ['a'])), [0])
    assert.deepEqual(filesSince(drifted(0, ['a']), synced(2), drifted(4, ['a'])), [4])
    assert.deepEqual(filesSince(drifted(0, ['a']), failed(2)), [0])
    assert.deepEqual(filesSince(synced(0)), [])
  })

  it('puts what a late finding found on show after a failed check, as a period of its own', () => {
    const { last, closed } = after(failed(10), drifted(8, ['a'], { arrived: 11 }))
    assert.deepEqual([last.newest.report.status, last.lastKnown?.report.driftedFiles], ['UNKNOWN', ['a']])
    assert.deepEqual([minutes(last.period.beganAt), last.period.checks, closed.length], [11, 0, 1])
    assert.equal(minutes(last.episode?.firstDirtyAt), 8)
  })

  it('knows a repeated delivery of the newest report, and of one of the three before it', () => {
    const made = [0, 2, 4, 6, 8].map((minute) => synced(minute))
    const { last } = after(...made)
    assert.deepEqual(
      made.map((one) => minutes(repetitionOf(last, aReceived({ ...one, arrived: 9 }))?.getTime())),
      [null, 2, 4, 6, 8],
    )
  })

  it('knows a repeated delivery also when its reporter had been ahead of our clock', () => {
    const ahead = drifted(12, ['a'], { arrived: 10 })
    const { last } = after(ahead, synced(10.5))
    assert.equal(minutes(repetitionOf(last, aReceived({ ...ahead, arrived: 11 }))?.getTime()), 10)
  })

  it('takes what says something else of an earlier check for another report', () => {
    const { last } = after(synced(0), failed(2))
    assert.equal(repetitionOf(last, aReceived(drifted(0, ['a'], { arrived: 3 }))), null)
  })

  it('never begins two periods at one moment, also when the clock was set back', () => {
    const { last, closed } = after(synced(10), drifted(11, ['a'], { arrived: 10 }), synced(12, { arrived: 3 }))
    const begun = [...closed.map(({ period }) => period.beganAt), last.period.beganAt]
    assert.deepEqual(
      begun.map((ms) => ms - (begun[0] ?? 0)),
      [0, 1],
    )
  })
})
