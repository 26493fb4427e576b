import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { aDrift, anEvidence, aRun, aVerdict, hostileHost } from '../../test/reporter/evidence-builder.ts'
import { checkError } from '../drift/check-error.ts'
import { judge } from '../drift/judge.ts'
import { painter, plan } from './plan.ts'

const plain = painter(false)

describe('plan', () => {
  it('says that all is well', () => {
    assert.equal(plan([aVerdict()], plain), 'rsyslog-lab: SYNCED\n\nNo drift: the server matches Git.')
  })

  it('has a line for each file, like a plan', () => {
    const drift = [
      aDrift({ path: '/etc/rsyslog.conf', actual: { mode: '0600', owner: 'root' } }),
      aDrift({ path: '/etc/rsyslog.d/30-lab.conf', change: 'missing', actual: {} }),
      aDrift({ path: '/etc/rsyslog.d/99-evil.conf', change: 'extra', expected: {}, actual: { type: 'link' } }),
      { ...aDrift({ task: 'Install rsyslog', actual: {} }), path_base64: null },
    ]
    assert.equal(
      plan([aVerdict({ status: 'OUT_OF_SYNC', drift })], plain),
      [
        'rsyslog-lab: OUT_OF_SYNC',
        '    ~ /etc/rsyslog.conf (mode 0600, Git says 0644)',
        '    - /etc/rsyslog.d/30-lab.conf (missing)',
        '    + /etc/rsyslog.d/99-evil.conf (extra, is a link)',
        '    ~ Install rsyslog (resource)',
        '',
        'Drift: 4 files on rsyslog-lab.',
      ].join('\n'),
    )
  })

  it('says why nothing is known, and what to do about it', () => {
    const verdict = aVerdict({ status: 'UNKNOWN', error: checkError('unreachable', 'refused'), coverage: null })
    assert.equal(
      plan([verdict, aVerdict({ host: 'other' })], plain),
      [
        'rsyslog-lab: UNKNOWN',
        '    unreachable: The server could not be reached: refused',
        '    → Try ssh to it from where the check runs',
        'other: SYNCED',
        '',
        'Not known: 1 of 2 servers.',
      ].join('\n'),
    )
  })

  it('names what was not checked beside a SYNCED', () => {
    const unchecked = [{ name: 'Ask rsyslogd', reason: 'skipped_in_check_mode' }]
    assert.match(
      plan([aVerdict({ coverage: { checked: 3, total: 4, unchecked } })], plain),
      /SYNCED {2}\(3 of 4 checked\)\n {4}\? Ask rsyslogd \(not checked: skipped in check mode\)/,
    )
  })

  it('has colours only where they are wanted', () => {
    assert.doesNotMatch(plan([aVerdict()], plain), /\u001b/)
    assert.match(plan([aVerdict()], painter(true)), /\u001b\[32mSYNCED\u001b\[0m/)
  })

  it('says nothing that moves a cursor or forges a line, whatever was found', () => {
    fc.assert(
      fc.property(hostileHost, (host) => {
        const name = 'web\u001b[2J\n1'
        const shown = plan(judge([name], aRun(anEvidence({ hosts: { [name]: host } }))), plain)

        assert.doesNotMatch(shown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        assert.equal(shown.split('\n').filter((line) => line.startsWith('web')).length, 1)
        assert(
          shown
            .split('\n')
            .every((line) => line === '' || /^(web| {4}|Drift:|Not known:|No drift|Not checked:)/.test(line)),
        )
      }),
    )
  })
})
