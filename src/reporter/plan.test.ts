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

  it('says how each server was checked, where there are two ways', () => {
    const fullCheckAt = new Date('2026-04-21T10:16:00Z')
    const coverage = { checked: 47, total: 47, unchecked: [], watched: 41, unwatched: [], fullCheckAt }
    const how = (verdict: Parameters<typeof aVerdict>[0], now = '2026-04-21T10:30:00Z') =>
      plan([aVerdict({ coverage, ...verdict })], plain, new Date(now)).split('\n')[0]

    assert.equal(
      how({ check: { method: 'fast' } }),
      'rsyslog-lab: SYNCED  (fast, 41 of 47 tasks watched, full check 14 min ago)',
    )
    assert.match(how({ check: { method: 'fast' } }, '2026-04-21T10:17:29Z') ?? '', /full check 89 s ago/)
    assert.match(how({ check: { method: 'fast' } }, '2026-04-21T13:16:00Z') ?? '', /full check 3 h ago/)
    assert.equal(how({ check: { method: 'full' } }), 'rsyslog-lab: SYNCED  (full check, 41 of 47 tasks watched)')
    const learned = { checked: 47, total: 47, unchecked: [] }
    assert.equal(
      how({ coverage: learned, check: { method: 'full', uncertified: 'its connection is\nlocal' } }),
      'rsyslog-lab: SYNCED  (full check, not certified: its connection is local)',
    )
    assert.equal(how({ coverage }), 'rsyslog-lab: SYNCED')
  })

  it('says who changed a file, and where the two ways contradict each other', () => {
    const drift = [{ ...aDrift({ actual: {} }), cause: 'PENDING_DEPLOY' as const }]
    const check = { method: 'full', disagreement: 'the full check finds drift in \u001b[2Jx' } as const
    assert.deepEqual(
      plan([aVerdict({ status: 'OUT_OF_SYNC', drift, check })], plain)
        .split('\n')
        .slice(0, 3),
      [
        'rsyslog-lab: OUT_OF_SYNC  (full check)',
        '    The two checks disagree: the full check finds drift in x',
        '    ~ /etc/rsyslog.d/30-lab.conf (waiting for deploy)',
      ],
    )
    const byAlice = [
      { ...aDrift({ actual: {} }), cause: 'SERVER_CHANGED' as const, modified_by: 'alice (sudo, medium)' },
    ]
    assert.match(
      plan([aVerdict({ status: 'OUT_OF_SYNC', drift: byAlice })], plain),
      /\(changed on the server, by alice \(sudo, medium\)\)$/m,
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
