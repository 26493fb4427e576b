import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReportBody } from './report.ts'
import { reportOf } from './sent-report.ts'

function aBody(fields: Partial<ReportBody> = {}): ReportBody {
  return {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: 'OUT_OF_SYNC',
    drift_count: 1,
    files: [{ name: '/etc/rsyslog.conf', change: 'modified' }],
    last_check: '2026-04-21T10:30:00Z',
    ...fields,
  }
}

describe('a report that is shared with an earlier one of its target', () => {
  it('keeps one copy of what both found, and its own check', () => {
    const earlier = reportOf(aBody())
    const later = reportOf(aBody({ last_check: '2026-04-21T10:32:00Z' }))
    later.shareWith(earlier)

    assert.equal(later.target, earlier.target)
    assert.equal(later.body.files, earlier.body.files)
    assert.equal(later.content, earlier.content)
    assert.equal(later.body.last_check, '2026-04-21T10:32:00Z')
    assert.notEqual(later.check, earlier.check)
  })

  it('keeps the time of its own full check, and how it was made, which are not what was found', () => {
    const checkedAt = (full_check_at: string) => ({
      checked: 47,
      total: 47,
      unchecked: [],
      watched: 41,
      full_check_at,
    })
    const earlier = reportOf(aBody({ coverage: checkedAt('2026-04-21T10:16:00Z'), check: { method: 'full' } }))
    const later = reportOf(aBody({ coverage: checkedAt('2026-04-21T10:31:00Z'), check: { method: 'fast' } }))
    const unshared = later.content
    later.shareWith(earlier)

    assert.equal(unshared, earlier.content)
    assert.equal(later.content, earlier.content)
    assert.notEqual(later.check, earlier.check)
    assert.equal(later.body.coverage?.full_check_at, '2026-04-21T10:31:00Z')
    assert.equal(earlier.body.coverage?.full_check_at, '2026-04-21T10:16:00Z')
  })

  it('keeps one copy of what was not watched, too', () => {
    const coverage = (full_check_at: string) => ({
      ...{ checked: 47, total: 47, unchecked: [], watched: 46, full_check_at },
      unwatched: [{ name: 'Install rsyslog', reason: 'no_path' }],
    })
    const earlier = reportOf(aBody({ coverage: coverage('2026-04-21T10:16:00Z') }))
    const later = reportOf(aBody({ coverage: coverage('2026-04-21T10:31:00Z') }))
    later.shareWith(earlier)

    assert.equal(later.body.coverage?.unwatched, earlier.body.coverage?.unwatched)
  })

  it('has found something else when the cause is another one', () => {
    const earlier = reportOf(aBody({ cause: 'PENDING_DEPLOY' }))
    const later = reportOf(aBody({ cause: 'BOTH' }))
    later.shareWith(earlier)

    assert.equal(later.body.cause, 'BOTH')
    assert.notEqual(later.content, earlier.content)
  })

  it('keeps what it found itself when that is something else', () => {
    const earlier = reportOf(aBody())
    const later = reportOf(aBody({ files: [{ name: '/etc/rsyslog.conf', change: 'missing' }] }))
    later.shareWith(earlier)

    assert.deepEqual(later.body.files, [{ name: '/etc/rsyslog.conf', change: 'missing' }])
    assert.notEqual(later.content, earlier.content)
  })

  it('shares what was found with every target that was found alike', () => {
    const one = reportOf(aBody())
    const other = reportOf(aBody({ server: 'rsyslog-2' }))

    assert.equal(one.content, other.content)
    assert.equal(one.body.files, other.body.files)
    assert.notEqual(one.key, other.key)
  })
})

describe('a drifted file', () => {
  it('is known again by its name, its path, its raw name and its kind, and by nothing else', () => {
    const files: ReportBody['files'] = [
      { name: 'app.conf' },
      { name: 'app.conf', path: '/etc/a/app.conf' },
      { name: 'app.conf', path: '/etc/b/app.conf' },
      { name: 'app.conf', name_base64: 'YXBwLmNvbmY=' },
      { name: 'app.conf', kind: 'resource' },
    ]
    const identities = reportOf(aBody({ files })).driftedFiles
    assert.equal(new Set(identities).size, files.length)

    const later = files.map((file): typeof file => ({ kind: 'file', ...file, change: 'missing', modified_by: 'eve' }))
    assert.deepEqual(reportOf(aBody({ files: later })).driftedFiles, identities)
  })
})
