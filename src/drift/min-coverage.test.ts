import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDrift, aVerdict } from '../../test/reporter/evidence-builder.ts'
import { withMinCoverage } from './min-coverage.ts'

describe('withMinCoverage', () => {
  const verdict = (checked: number) => aVerdict({ coverage: { checked, total: 5, unchecked: [] } })

  it('lets SYNCED stand from the given share on, and makes it UNKNOWN below', () => {
    assert.equal(withMinCoverage(verdict(4), 80).status, 'SYNCED')
    const { status, error, coverage } = withMinCoverage(verdict(4), 81)
    assert.equal(status, 'UNKNOWN')
    assert.deepEqual(error, {
      code: 'coverage_too_low',
      message: 'Too little of the playbook was checked: 4 of 5 tasks, and 81 % are asked for',
    })
    assert.equal(coverage?.checked, 4)
  })

  it('changes nothing else: not without a share, not drift, and no other UNKNOWN', () => {
    const drifted = aVerdict({ status: 'OUT_OF_SYNC', drift: [aDrift()], coverage: verdict(1).coverage })
    const unknown = aVerdict({ status: 'UNKNOWN', error: { code: 'timeout', message: 'x' }, coverage: null })
    assert.equal(withMinCoverage(verdict(1), null).status, 'SYNCED')
    assert.equal(withMinCoverage(drifted, 100), drifted)
    assert.equal(withMinCoverage(unknown, 100), unknown)
  })
})
