import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aBody } from '../../test/server/a-report.ts'
import { Fault } from '../domain/fault.ts'
import { MAX_BATCH } from './limits.ts'
import { parseSubmission } from './submission.ts'

function refusalOf(body: unknown): Fault {
  try {
    parseSubmission(body)
  } catch (error) {
    assert.ok(error instanceof Fault)
    return error
  }
  assert.fail('was accepted')
}

describe('parseSubmission', () => {
  it('takes one report, or several in an array', () => {
    assert.equal(parseSubmission(aBody()).isBatch, false)
    const { isBatch, reports } = parseSubmission([aBody({ server: 'a' }), aBody({ server: 'b' })])
    assert.equal(isBatch, true)
    assert.deepEqual(
      reports.map(({ report }) => report.target.server),
      ['a', 'b'],
    )
  })

  it('refuses a whole batch for one invalid member, and names it by its index', () => {
    const { code, problems } = refusalOf([aBody(), { ...aBody(), repo: '' }, aBody()])
    assert.equal(code, 'invalid_report')
    assert.deepEqual(
      problems.map(({ field, pointer }) => ({ field, pointer })),
      [{ field: '[1].repo', pointer: '/1/repo' }],
    )
  })

  it('refuses an empty batch and one that is too long', () => {
    assert.match(refusalOf([]).problems[0]?.detail ?? '', /at least one/)
    assert.match(refusalOf(Array(MAX_BATCH + 1).fill(aBody())).problems[0]?.detail ?? '', /not hold more than/)
  })

  it('names at most a hundred problems, however many there are', () => {
    assert.equal(refusalOf(Array(MAX_BATCH).fill({})).problems.length, 100)
  })

  for (const body of [null, undefined, 1, 'text', true]) {
    it(`refuses ${JSON.stringify(body)}`, () => {
      assert.equal(refusalOf(body).problems[0]?.field, 'body')
    })
  }
})
