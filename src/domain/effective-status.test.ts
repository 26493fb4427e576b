import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aReceived } from '../../test/server/a-report.ts'
import { effectiveStatus, worstOf } from './effective-status.ts'

const drift = aReceived({ files: [{ name: 'rsyslog.conf' }] })
const failure = aReceived({ sync_status: 'UNKNOWN', last_check: '2026-04-21T10:32:00Z' })

describe('effective status', () => {
  it('is what the newest report said, also when the next one is late', () => {
    const status = effectiveStatus({ newest: drift, lastKnown: drift }, 'LATE')
    assert.deepEqual(status, { status: 'OUT_OF_SYNC', reason: null, finding: drift })
  })

  it('is UNKNOWN once the target is silent for too long, with the drift last seen still on show', () => {
    const status = effectiveStatus({ newest: drift, lastKnown: drift }, 'STALE')
    assert.deepEqual(status, { status: 'UNKNOWN', reason: 'stale', finding: drift })
  })

  it('is UNKNOWN when the check failed, with the drift last seen still on show', () => {
    const status = effectiveStatus({ newest: failure, lastKnown: drift }, 'FRESH')
    assert.deepEqual(status, { status: 'UNKNOWN', reason: 'check_failed', finding: drift })
  })

  it('is stale rather than failed when both are true', () => {
    assert.equal(effectiveStatus({ newest: failure, lastKnown: null }, 'STALE').reason, 'stale')
  })
})

describe('the worst of several', () => {
  it('puts drift before the unknown, and the unknown before SYNCED', () => {
    assert.equal(worstOf(['SYNCED', 'OUT_OF_SYNC', 'UNKNOWN']), 'OUT_OF_SYNC')
    assert.equal(worstOf(['SYNCED', 'UNKNOWN']), 'UNKNOWN')
    assert.equal(worstOf(['SYNCED', 'SYNCED']), 'SYNCED')
  })

  it('is UNKNOWN of none', () => {
    assert.equal(worstOf([]), 'UNKNOWN')
  })
})
