import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { hostileText } from '../../test/reporter/evidence-builder.ts'
import { CHECK_ERRORS, checkError, hintFor, printable } from './check-error.ts'

describe('checkError', () => {
  it('says what happened, and what Ansible said about it', () => {
    assert.deepEqual(checkError('unreachable', 'Connection refused'), {
      code: 'unreachable',
      message: 'The server could not be reached: Connection refused',
    })
  })

  it('is a sentence by itself', () => assert.equal(checkError('timeout').message, 'The check took too long'))

  it('is one line of whole characters, whatever was said', () => {
    fc.assert(
      fc.property(hostileText, (said) => {
        const { message } = checkError('task_failed', said)
        assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        assert(message.length < 1_000)
      }),
    )
  })

  it('never ends in half a character', () => {
    for (const before of ['', 'x']) {
      assert(checkError('task_failed', before + '🙂'.repeat(500)).message.isWellFormed())
    }
  })

  it('has a hint for every code', () => {
    for (const code of Object.keys(CHECK_ERRORS)) assert.notEqual(hintFor(code as keyof typeof CHECK_ERRORS), '')
  })
})

describe('printable', () => {
  it('leaves out colours and whatever else moves a cursor', () => {
    assert.equal(printable('\u001b[0;31mfatal:\u001b[0m\r\n\tno\u202e \u009b2Jway\n'), 'fatal: no 2Jway')
  })
})
