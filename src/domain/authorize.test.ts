import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aToken } from '../store/token-store-contract.ts'
import { authorize, type Bearer, type Doors, type Right } from './authorize.ts'
import { Fault } from './fault.ts'
import { SCOPES } from './token.ts'

const ALL = { repos: ['*'], servers: ['*'] }

const BEARERS = {
  nobody: null,
  'a wrong token': { invalid: 'This token is not known here' },
  'a reader': aToken('reader', { scopes: ['read'], ...ALL }),
  'a reporter': aToken('reporter', { scopes: ['write'], ...ALL }),
  'a reporter of some': aToken('some', { scopes: ['write'] }),
  'an admin': aToken('admin', { scopes: ['admin'], ...ALL }),
} satisfies Record<string, Bearer>

const DOORS = {
  open: { isClosed: false, anonymousMayRead: true },
  'open, reading closed': { isClosed: false, anonymousMayRead: false },
  closed: { isClosed: true, anonymousMayRead: true },
  'closed to readers': { isClosed: true, anonymousMayRead: false },
} satisfies Record<string, Doors>

const RIGHTS: readonly Right[] = ['open', ...SCOPES]

/** Of open, read, write, admin: `.` anybody, `t` by its token, `1` 401, `3` 403. */
const EXPECTED: Record<keyof typeof DOORS, Record<keyof typeof BEARERS, string>> = {
  open: {
    nobody: '....',
    'a wrong token': '....',
    'a reader': '....',
    'a reporter': '....',
    'a reporter of some': '....',
    'an admin': '....',
  },
  'open, reading closed': {
    nobody: '....',
    'a wrong token': '....',
    'a reader': '....',
    'a reporter': '....',
    'a reporter of some': '....',
    'an admin': '....',
  },
  closed: {
    nobody: '..11',
    'a wrong token': '.111',
    'a reader': '..33',
    'a reporter': '..t3',
    'a reporter of some': '..t3',
    'an admin': '..tt',
  },
  'closed to readers': {
    nobody: '.111',
    'a wrong token': '.111',
    'a reader': '.t33',
    'a reporter': '.3t3',
    'a reporter of some': '.3t3',
    'an admin': '.ttt',
  },
}

function outcomeOf(bearer: Bearer, right: Right, doors: Doors): string {
  try {
    return authorize(bearer, right, doors).who === null ? '.' : 't'
  } catch (error) {
    assert.ok(error instanceof Fault)
    return { unauthorized: '1', forbidden: '3' }[String(error.code)] ?? error.code
  }
}

describe('authorization', () => {
  for (const [doors, byBearer] of Object.entries(EXPECTED)) {
    for (const [bearer, expected] of Object.entries(byBearer)) {
      it(`gives ${bearer} ${expected} where it is ${doors}`, () => {
        const found = RIGHTS.map((right) =>
          outcomeOf(BEARERS[bearer as keyof typeof BEARERS], right, DOORS[doors as keyof typeof DOORS]),
        )
        assert.equal(found.join(''), expected)
      })
    }
  }

  it('names the targets that a token is for, and none where it is for all', () => {
    const of = (bearer: Bearer) => authorize(bearer, 'write', DOORS.closed).covers
    assert.equal(of(BEARERS['a reporter']), null)
    const some = of(BEARERS['a reporter of some'])
    assert.equal(some?.has({ repo: 'rsyslog', server: 'rsyslog-lab' }), true)
    assert.equal(some?.has({ repo: 'rsyslog', server: 'web' }), false)
  })
})
