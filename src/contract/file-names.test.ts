import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aBody } from '../../test/server/a-report.ts'
import { parseReport, type ReportBody } from './report.ts'

function parsed(files: ReportBody['files']) {
  const result = parseReport(aBody({ files }))
  assert.ok('body' in result)
  return result
}

describe('the names of drifted files', () => {
  it('have control characters escaped, with the raw bytes beside them, and the sender is told', () => {
    const { body, warnings } = parsed([
      { name: 'a\n\u001b[2J\u0085\\' },
      { name: 'sound\\x0a' },
      { name: '\t', path: '/\t' },
    ])

    assert.deepEqual(body.files, [
      { name: 'a\\x0a\\x1b[2J\\xc2\\x85\\\\', name_base64: Buffer.from('a\n\u001b[2J\u0085\\').toString('base64') },
      { name: 'sound\\x0a' },
      { name: '\\x09', name_base64: 'CQ==', path: '/\\x09' },
    ])
    assert.deepEqual(warnings, ['"files[0].name" has control characters, which were escaped as \\xNN; so do 1 more'])
  })

  it('are counted once, and the sender is told', () => {
    const { body, warnings } = parsed([
      { name: 'a', change: 'modified' },
      { name: 'b' },
      { name: 'a', change: 'metadata' },
      { name: 'b', path: '/opt/b' },
    ])

    assert.deepEqual(body.files, [{ name: 'a', change: 'modified' }, { name: 'b' }, { name: 'b', path: '/opt/b' }])
    assert.equal(body.drift_count, 3)
    assert.deepEqual(warnings, [
      '"files[2].name" names a file a second time, which was left out and is not counted in drift_count',
    ])
  })

  it('may be the same for two resources, which are named by their tasks', () => {
    const files = [
      { name: 'restart', kind: 'resource' as const },
      { name: 'restart', kind: 'resource' as const },
    ]
    assert.deepEqual(parsed(files).body.files, files)
  })
})
