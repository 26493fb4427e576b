import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aBody, aFailure } from '../../test/server/a-report.ts'
import { parseReport } from './report.ts'

function taken(value: unknown) {
  const parsed = parseReport(value)
  assert.ok('body' in parsed, JSON.stringify(parsed))
  return parsed
}

describe('a report with secrets in its texts', () => {
  it('is taken without them, and its sender is told where they were', () => {
    const files = [
      { name: 'a.conf' },
      { name: 'b.conf', diff: '@@ -1 +1 @@\n-password = kestrel\n+password = falcon' },
      { name: 'Set token: kestrel', kind: 'resource' as const },
    ]
    const { body, warnings } = taken(aBody({ files }))
    assert.deepEqual(body.files, [
      { name: 'a.conf' },
      { name: 'b.conf', diff: '@@ -1 +1 @@\n-password = ‹redacted›\n+password = ‹redacted›' },
      { name: 'Set token: ‹redacted›', kind: 'resource' },
    ])
    assert.deepEqual(warnings, ['"files[1].diff" held what looks like a secret, which was redacted; so did 1 more'])
  })

  it('is taken without those in the words of an error and of what was not checked', () => {
    const coverage = {
      checked: 1,
      total: 2,
      unchecked: [{ name: 'curl -u eve:kestrel', reason: 'skipped_in_check_mode' }],
    }
    const failure = aFailure({
      error: { code: 'task_failed', message: 'Connect: password=kestrel is wrong' },
      coverage,
    })
    const { body } = taken(failure)
    assert.equal(body.error?.message, 'Connect: password=‹redacted› is wrong')
    assert.equal(body.coverage?.unchecked[0]?.name, 'curl -u eve:‹redacted›')
  })

  it('is taken without those in the words of what only the full check sees, and of a disagreement', () => {
    const unwatched = [{ name: 'curl -u eve:kestrel', reason: 'no_path' }]
    const coverage = { checked: 2, total: 2, unchecked: [], watched: 1, unwatched }
    const check = { method: 'fast' as const, disagreement: 'Set token: kestrel' }
    const { body } = taken(aBody({ coverage, check }))
    assert.equal(body.coverage?.unwatched?.[0]?.name, 'curl -u eve:‹redacted›')
    assert.deepEqual(body.check, { method: 'fast', disagreement: 'Set token: ‹redacted›' })
  })

  it('is taken without those in the short texts, and with links that can still be followed', () => {
    const coverage = { checked: 1, total: 2, unchecked: [{ name: 'a', reason: 'token=kestrel' }] }
    const sent = aBody({
      files: [{ name: 'a', modified_by: 'eve password=kestrel' }],
      revision: { commit: 'c0ffee', url: 'https://eve:kestrel@example.org/a/b?x=1' },
      pipeline: { url: 'https://example.org/1?x=1&access_token=kestrel#3', number: 1 },
      coverage,
    })
    const { body, warnings } = taken(sent)
    assert.doesNotMatch(JSON.stringify({ body, warnings }), /kestrel/)
    assert.deepEqual(body.revision, { commit: 'c0ffee', url: 'https://example.org/a/b?x=1' })
    assert.deepEqual(body.pipeline, { url: 'https://example.org/1?x=1#3', number: 1 })
    assert.equal(taken(body).body, body)
  })

  it('keeps the marks of the reporter, and then warns of nothing', () => {
    const files = [{ name: 'b.conf', diff: '@@ -1 +1 @@\n-password = ‹redacted 3f9a›\n+password = ‹redacted 77b0›' }]
    const sent = aBody({ files })
    const { body, warnings } = taken(sent)
    assert.equal(body, sent)
    assert.deepEqual(warnings, [])
  })

  it('keeps the names of files as they are', () => {
    const sent = aBody({ files: [{ name: 'app/password=kestrel.conf', path: '/etc/app/password=kestrel.conf' }] })
    assert.equal(taken(sent).body, sent)
  })

  it('is no longer than a report may be, whatever it held', () => {
    const diff = `@@ -1 +1 @@\n${'+password=ab\n'.repeat(5_000)}`
    assert.equal(taken(aBody({ files: [{ name: 'a', diff }] })).body.files[0]?.diff?.length, 65_536)
  })

  it('is not repeated where it is refused', () => {
    const files = [
      { name: 'a', diff: 'kestrel\u0000' },
      { name: 'b', change: 'password=kestrel' },
    ]
    const parsed = parseReport({ ...aBody({ files: [{ name: 'a' }, { name: 'b' }] }), files, server: 'token=kestrel' })
    assert.ok('problems' in parsed)
    assert.deepEqual(parsed.problems.map(({ field }) => field).toSorted(), [
      'files[0].diff',
      'files[1].change',
      'server',
    ])
    assert.doesNotMatch(JSON.stringify(parsed), /kestrel/)
  })
})
