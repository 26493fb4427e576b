import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { closestWord } from './closest-word.ts'

describe('closestWord', () => {
  it('is the nearest word, or none', () => {
    assert.equal(closestWord('chekc', ['report', 'check', 'doctor']), 'check')
    assert.equal(closestWord('zzzzzz', ['report', 'check', 'doctor']), undefined)
  })
})
