import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Received, type SyncStatus, targetKey } from './report.ts'
import { fold, type TargetState } from './target-state.ts'

const START = Date.parse('2026-04-21T10:00:00Z')

function aReceived(
  status: SyncStatus,
  { checkedAt, arrivedAt = checkedAt }: { checkedAt: number; arrivedAt?: number },
) {
  const at = (seconds: number) => new Date(START + seconds * 1_000)
  const target = { repo: 'rsyslog', server: 'rsyslog-lab' }
  const times = { checkedAt: at(checkedAt), periodMs: 120_000 }
  const report = {
    target,
    key: targetKey(target),
    status,
    ...times,
    driftCount: 0,
    driftedFiles: [],
    content: status,
    check: '',
    mark: 0,
    body: null,
  }
  return { report, arrivedAt: at(arrivedAt) }
}

function stateAfter(reports: readonly Received[]): TargetState | undefined {
  return reports.reduce<TargetState | undefined>((state, one) => fold(state, one).state, undefined)
}

// Arrivals differ, as the order in which one server receives things always does.
const reports = fc
  .uniqueArray(
    fc.record({
      arrivedAt: fc.nat(600),
      checkedAt: fc.nat(900),
      status: fc.constantFrom<SyncStatus>('SYNCED', 'OUT_OF_SYNC', 'UNKNOWN'),
    }),
    {
      minLength: 1,
      maxLength: 12,
      selector: ({ arrivedAt }) => arrivedAt,
    },
  )
  .map((made) => made.map(({ status, ...times }) => aReceived(status, times)))

const shuffledTwice = reports.chain((inOrder) =>
  fc.tuple(
    fc.constant(inOrder),
    fc.shuffledSubarray([...inOrder, ...inOrder], { minLength: inOrder.length * 2, maxLength: inOrder.length * 2 }),
  ),
)

describe('fold', () => {
  it('comes out the same in whatever order reports arrive, and however often', () => {
    fc.assert(
      fc.property(shuffledTwice, ([inOrder, shuffled]) => assert.deepEqual(stateAfter(shuffled), stateAfter(inOrder))),
      { numRuns: 2_000 },
    )
  })

  it('keeps the newest report when an older one arrives late', () => {
    const newer = aReceived('SYNCED', { checkedAt: 120 })
    const late = aReceived('OUT_OF_SYNC', { checkedAt: 0, arrivedAt: 180 })

    const { state, applied } = fold(stateAfter([newer]), late)

    assert.equal(applied, false)
    assert.equal(state.newest, newer)
  })

  it('lets the later arrival win between two reports of the same moment', () => {
    const first = aReceived('SYNCED', { checkedAt: 0, arrivedAt: 1 })
    const second = aReceived('OUT_OF_SYNC', { checkedAt: 0, arrivedAt: 2 })

    assert.equal(stateAfter([first, second])?.newest, second)
  })

  it('lets no clock that runs ahead hide the reports after it', () => {
    const fromAhead = aReceived('SYNCED', { checkedAt: 240, arrivedAt: 0 })
    const truth = aReceived('OUT_OF_SYNC', { checkedAt: 119, arrivedAt: 120 })

    assert.equal(stateAfter([fromAhead, truth])?.newest, truth)
  })

  it('keeps the drift that was seen when a check fails', () => {
    const drift = aReceived('OUT_OF_SYNC', { checkedAt: 0 })
    const failure = aReceived('UNKNOWN', { checkedAt: 120 })

    assert.deepEqual(stateAfter([drift, failure]), { newest: failure, lastKnown: drift })
  })

  it('knows nothing when no check ever succeeded', () => {
    assert.equal(stateAfter([aReceived('UNKNOWN', { checkedAt: 0 })])?.lastKnown, null)
  })

  it('takes a late finding as the last known one when everything newer failed', () => {
    const failure = aReceived('UNKNOWN', { checkedAt: 120 })
    const lateDrift = aReceived('OUT_OF_SYNC', { checkedAt: 0, arrivedAt: 180 })

    assert.deepEqual(stateAfter([failure, lateDrift]), { newest: failure, lastKnown: lateDrift })
  })
})
