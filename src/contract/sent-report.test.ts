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
