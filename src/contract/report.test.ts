import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { aBody, aFailure } from '../../test/server/a-report.ts'
import { SYNC_STATUSES } from '../domain/report.ts'
import { MAX_FILES } from './limits.ts'
import { parseReport } from './report.ts'

const drifted = aBody({ files: [{ name: 'rsyslog.conf' }, { name: 'rsyslog.d/30-lab.conf' }] })

function pointersOf(value: unknown, at?: string): string[] {
  const parsed = parseReport(value, at)
  return 'problems' in parsed ? [...new Set(parsed.problems.map(({ pointer }) => pointer))].sort() : []
}

function detailOf(value: unknown): string {
  const parsed = parseReport(value)
  return 'problems' in parsed ? parsed.problems.map(({ field, detail }) => `${field} ${detail}`).join('\n') : 'accepted'
}

describe('parseReport', () => {
  for (const body of [aBody(), drifted, aFailure()]) {
    it(`takes a report that says ${body.sync_status}, and gives its body back as it was sent`, () => {
      const parsed = parseReport(body)
      assert.ok('body' in parsed)
      assert.deepEqual(parsed.body, body)
      assert.deepEqual(parsed.warnings, [])
    })
  }

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: false, withDate: true, withNullPrototype: true }), (value) => {
        assert.ok('problems' in parseReport(value))
      }),
      { numRuns: 5_000 },
    )
  })

  const WRONG_FOR: Record<string, fc.Arbitrary<unknown>> = {
    repo: fc.oneof(
      fc.jsonValue().filter((value) => typeof value !== 'string'),
      fc.constantFrom('', ' ', '-a', '../x', 'a b', 'é', 'a'.repeat(254), 'a\n'),
    ),
    server: fc.oneof(
      fc.jsonValue().filter((value) => typeof value !== 'string'),
      fc.constantFrom('', '.', '<b>', 'a\u0000'),
    ),
    sync_status: fc.jsonValue().filter((value) => !SYNC_STATUSES.some((status) => status === value)),
    drift_count: fc.oneof(
      fc.jsonValue().filter((value) => value !== 2),
      fc.constantFrom(-1, 0.5, Number.POSITIVE_INFINITY, '2', 3),
    ),
    files: fc.oneof(
      fc.jsonValue().filter((value) => !Array.isArray(value)),
      fc.array(
        fc.jsonValue().filter((value) => typeof value !== 'object'),
        { minLength: 1 },
      ),
    ),
    last_check: fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        '2026-04-21T10:30:00',
        '2026-02-30T10:30:00Z',
        '2026-04-21T24:00:00Z',
        '2026-06-30T23:59:60Z',
        '2026-04-21',
        'now',
        '2026-04-21 10:30:00Z',
      ),
    ),
  }
  for (const [field, wrong] of Object.entries(WRONG_FOR)) {
    it(`names ${field} when a valid body has something else there`, () => {
      fc.assert(
        fc.property(wrong, (value) => {
          const named = pointersOf({ ...drifted, [field]: value })
          assert.ok(
            named.some((pointer) => pointer === `/${field}` || pointer.startsWith(`/${field}/`)),
            `${JSON.stringify(value)} gave ${named}`,
          )
        }),
        { numRuns: 500 },
      )
    })

    it(`names ${field} when it is missing`, () => {
      const { [field as 'repo']: _, ...rest } = drifted
      assert.ok(pointersOf(rest).includes(`/${field}`))
    })
  }

  it('names every bad field at once, with the index in a batch', () => {
    const bad = { ...drifted, repo: 1, server: null, files: [{ name: 'a' }, { name: '' }] }
    assert.deepEqual(pointersOf(bad, '/2'), ['/2/files/1/name', '/2/repo', '/2/server'])
  })

  it('says what a field must be and what it was', () => {
    assert.equal(
      detailOf({ ...aBody(), sync_status: 'OK' }),
      'sync_status must be one of "SYNCED", "OUT_OF_SYNC", "UNKNOWN"; got "OK"',
    )
    assert.equal(
      detailOf(aBody({ server: 'a b' })),
      'server must be 1 to 253 letters, digits and any of . _ - / : @, beginning with a letter, a digit or _; got "a b"',
    )
    assert.match(detailOf({ ...aBody(), drift_count: Number.POSITIVE_INFINITY }), /got Infinity/)
    assert.match(detailOf({ ...aBody(), last_check: '2026-02-30T10:30:00Z' }), /must be a time that exists/)
  })

  const CONTRADICTIONS: Record<string, unknown> = {
    'SYNCED with files': { ...drifted, sync_status: 'SYNCED' },
    'OUT_OF_SYNC with none': aBody({ sync_status: 'OUT_OF_SYNC' }),
    'SYNCED when nothing of something was checked': aBody({ coverage: { checked: 0, total: 3, unchecked: [] } }),
    'SYNCED with more that was not checked than total says': aBody({
      coverage: { checked: 5, total: 5, unchecked: [{ name: '/etc/shadow', reason: 'permission denied' }] },
    }),
    'more checked than there is': aBody({ coverage: { checked: 4, total: 3, unchecked: [] } }),
    'more watched than checked': aBody({ coverage: { checked: 3, total: 3, unchecked: [], watched: 4 } }),
    'more that is not watched than watched says': aBody({
      coverage: {
        ...{ checked: 3, total: 3, unchecked: [], watched: 3 },
        unwatched: [{ name: 'Install rsyslog', reason: 'no_path' }],
      },
    }),
    'what is not watched without how much is': aBody({
      coverage: { checked: 3, total: 3, unchecked: [], unwatched: [{ name: 'Install rsyslog', reason: 'no_path' }] },
    }),
    'a full check that began after the check that stands on it': aBody({
      last_check: '2026-04-21T10:30:00Z',
      coverage: { checked: 3, total: 3, unchecked: [], full_check_at: '2026-04-21T10:35:01Z' },
    }),
    'SYNCED for a cause that means drift': aBody({ cause: 'PENDING_DEPLOY' }),
    'UNKNOWN with a cause': {
      ...aBody({ cause: 'SAME_EDIT' }),
      sync_status: 'UNKNOWN',
      error: { code: 'timeout', message: '' },
    },
    'a cause that there is not': { ...drifted, cause: 'GREMLINS' },
    'a check that was made in a way that there is not': aBody({ check: { method: 'slow' as 'fast' } }),
    'a drift_count that is not the number of files': { ...drifted, drift_count: 3 },
    'UNKNOWN without an error': { ...aBody(), sync_status: 'UNKNOWN' },
    'UNKNOWN with files': { ...drifted, sync_status: 'UNKNOWN', error: { code: 'timeout', message: '' } },
    'SYNCED with an error': aBody({ error: { code: 'timeout', message: '' } }),
    'files_truncated with few files': { ...drifted, files_truncated: true, drift_count: 9_000 },
  }
  for (const [name, value] of Object.entries(CONTRADICTIONS)) {
    it(`refuses ${name}`, () => {
      assert.notDeepEqual(pointersOf(value), [])
    })
  }

  it('lets the count be higher than the number of files only when the list was cut', () => {
    const files = Array.from({ length: MAX_FILES }, (_, index) => ({ name: `f${index}` }))
    assert.deepEqual(pointersOf(aBody({ files, drift_count: 7_000, files_truncated: true })), [])
    assert.deepEqual(pointersOf(aBody({ files, drift_count: 7_000 })), ['/drift_count'])
    assert.deepEqual(pointersOf(aBody({ files: [...files, { name: 'one more' }] })), ['/files'])
  })

  it('takes a cause, what is watched, and how it was checked', () => {
    const unwatched = [{ name: 'Install rsyslog', reason: 'no_path' }]
    const coverage = { checked: 47, total: 47, unchecked: [], watched: 41, unwatched }
    const full_check_at = '2026-04-21T10:16:00Z'
    const check = { method: 'fast', disagreement: 'the full check found no drift' } as const
    const body = aBody({ coverage: { ...coverage, full_check_at }, check, cause: 'SAME_EDIT' })
    assert.deepEqual(parseReport(body), { body, warnings: [] })
  })

  it('takes a full check that was repeated while the check lasted, by a clock that is a little off', () => {
    const of = (full_check_at: string, duration_ms?: number) => ({
      ...aBody({ coverage: { checked: 3, total: 3, unchecked: [], full_check_at } }),
      ...(duration_ms !== undefined && { duration_ms }),
    })
    assert.deepEqual(pointersOf(of('2026-04-21T10:35:00Z')), [])
    assert.deepEqual(pointersOf(of('2026-04-21T12:45:00+02:00', 600_000)), [])
    assert.equal(
      detailOf(of('2026-04-21T10:46:00Z', 600_000)),
      'coverage.full_check_at is 2026-04-21T10:46:00Z, more than 5 minutes after the check that stands on it was over, 2026-04-21T10:40:00Z',
    )
    assert.deepEqual(pointersOf(of('2026-04-21T10:46:00Z', -600_000)), ['/coverage/full_check_at', '/duration_ms'])
    assert.deepEqual(pointersOf(of('soon', Number.MAX_SAFE_INTEGER)), ['/coverage/full_check_at'])
  })

  it('lets a list of what was not checked be cut, and says nothing of one that goes with a failed check', () => {
    const unchecked = [{ name: 'Ask rsyslogd', reason: 'skipped_in_check_mode' }]
    const error = { code: 'timeout', message: '' }
    assert.deepEqual(pointersOf(aBody({ coverage: { checked: 1, total: 2, unchecked } })), [])
    assert.deepEqual(pointersOf(aBody({ coverage: { checked: 1, total: 9_000, unchecked } })), [])
    assert.deepEqual(
      pointersOf(aBody({ sync_status: 'UNKNOWN', error, coverage: { checked: 0, total: 0, unchecked } })),
      [],
    )
  })

  it('leaves out fields it does not know, and says so', () => {
    const parsed = parseReport({ ...aBody({ files: [] }), colour: 'red', revision: { commit: 'abc', mood: 1 } })
    assert.ok('body' in parsed)
    assert.deepEqual(parsed.body, aBody({ revision: { commit: 'abc' } }))
    assert.deepEqual(parsed.warnings, [
      '"colour" is not a field of a report and was left out',
      '"revision.mood" is not a field of a report and was left out',
    ])
  })

  it('has the same text for the same content, in whatever order it was sent', () => {
    const shuffled = fc.shuffledSubarray(Object.entries(drifted), { minLength: Object.keys(drifted).length })
    fc.assert(
      fc.property(shuffled, (entries) => {
        const parsed = parseReport(Object.fromEntries(entries))
        assert.ok('body' in parsed)
        assert.equal(JSON.stringify(parsed.body), JSON.stringify(drifted))
      }),
    )
  })

  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    it(`treats a field called ${name} as any other that it does not know`, () => {
      const parsed = parseReport(JSON.parse(`{${JSON.stringify(aBody()).slice(1, -1)},"${name}":{"polluted":true}}`))
      assert.ok('body' in parsed)
      assert.deepEqual(parsed.warnings, [`"${name}" is not a field of a report and was left out`])
      assert.deepEqual(Object.keys(parsed.body), Object.keys(aBody()))
    })

    it(`takes ${name} as the name of a file and of a server`, () => {
      const parsed = parseReport(aBody({ server: name.replace(/^__/, 'x__'), files: [{ name }] }))
      assert.ok('body' in parsed)
    })
  }
})
