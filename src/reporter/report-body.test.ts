import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { aDrift, anEvidence, aRun, aVerdict, hostileHost, hostileText } from '../../test/reporter/evidence-builder.ts'
import { MAX_BODY_BYTES } from '../contract/limits.ts'
import { parseReport, type ReportBody } from '../contract/report.ts'
import { modifiedBy } from '../drift/blame/blame.ts'
import { checkError } from '../drift/check-error.ts'
import { judge, type Verdict } from '../drift/judge.ts'
import { type ReportContext, reportBody } from './report-body.ts'

const CONTEXT: ReportContext = {
  repo: 'rsyslog',
  startedAt: new Date('2026-04-21T10:30:00.987Z'),
  durationMs: 2_140,
  intervalSeconds: null,
  origin: { name: 'by hand' },
}

describe('reportBody', () => {
  it("begins with the requirement's six fields, letter by letter", () => {
    const drift = [aDrift({ path: '/etc/rsyslog.conf' }), aDrift({ path: '/etc/rsyslog.d/30-lab.conf' })]
    const body = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift }), CONTEXT)
    const { repo, server, sync_status, drift_count, files, last_check } = body

    assert.deepEqual(Object.keys(body).slice(0, 6), [
      'repo',
      'server',
      'sync_status',
      'drift_count',
      'files',
      'last_check',
    ])
    assert.equal(
      JSON.stringify({
        repo,
        server,
        sync_status,
        drift_count,
        files: files.map(({ name }) => ({ name })),
        last_check,
      }),
      '{"repo":"rsyslog","server":"rsyslog-lab","sync_status":"OUT_OF_SYNC","drift_count":2,' +
        '"files":[{"name":"rsyslog.conf"},{"name":"rsyslog.d/30-lab.conf"}],"last_check":"2026-04-21T10:30:00Z"}',
    )
    assert(files.every((file) => Object.keys(file)[0] === 'name'))
  })

  it('says how files differ where their texts are known, or why not, and no more than a report should carry', () => {
    const text = { git: '', server: 'x\n'.repeat(30_000) }
    const drift = [
      aDrift({ path: '/etc/a', texts: [{ git: 'a\n', server: 'b\n' }] }),
      aDrift({ path: '/etc/b', text_left_out: 'vault' }),
      aDrift({ path: '/etc/c', texts: [{ git: 'a\n', server: 'a\n' }] }),
      ...Array.from({ length: 9 }, (_, number) => aDrift({ path: `/etc/long-${number}`, texts: [text] })),
    ]
    const { files } = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift }), CONTEXT)
    assert.deepEqual(
      files.slice(0, 3).map(({ diff }) => diff),
      ['--- in Git\n+++ on the server\n@@ -1 +1 @@\n-a\n+b', '\\ Left out: the file comes from a vault', undefined],
    )
    assert.equal(files.at(-1)?.diff, '\\ Left out: it is too large')
    assert.ok(Buffer.byteLength(JSON.stringify(files)) < 300_000)
  })

  it('makes of whatever a file holds a report that the server takes, and finds no secret in', () => {
    const hostile = fc.oneof(
      hostileText,
      fc.constantFrom('password = kestrel\n', '-----BEGIN A-----\n', '@@ -1 +1 @@\n'),
    )
    const side = fc.array(hostile).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(fc.record({ server: side, git: side }), { minLength: 1, maxLength: 3 }), (texts) => {
        const body = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift: [aDrift({ texts })] }), CONTEXT)
        const parsed = parseReport(JSON.parse(JSON.stringify(body)))
        assert.deepEqual('problems' in parsed ? parsed.problems : parsed.warnings, [])
      }),
    )
  })

  it('tells of each file what is known about it', () => {
    assert.deepEqual(fileFor(aDrift()), {
      name: 'rsyslog.d/30-lab.conf',
      path: '/etc/rsyslog.d/30-lab.conf',
      change: 'modified',
      expected: { sha256: 'a'.repeat(64), mode: '0644', owner: 'root', group: 'root' },
      actual: { sha256: 'b'.repeat(64), mode: '0644', owner: 'root', group: 'root' },
      modified_at: '2026-04-21T10:30:00Z',
    })
  })

  it('tells who changed it in words that the server takes, and finds no secret in', () => {
    const key = `SHA256:${createHash('sha256').update('a key').digest('base64').slice(0, 43)}`
    const blame = { actor: `root by key ${key}`, via: 'ssh', confidence: 'medium', because: '' } as const
    const drift = [{ ...aDrift(), modified_by: modifiedBy(blame) }]
    const parsed = parseReport(reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift }), CONTEXT))
    assert.deepEqual('problems' in parsed ? parsed.problems : parsed.warnings, [])
    assert.equal(fileFor(drift[0] ?? aDrift()).modified_by, `root by key ${key.slice(0, 19)}… (ssh, medium)`)
  })

  it('carries the bytes of a name that is not shown as it is', () => {
    const raw = Buffer.concat([Buffer.from('/etc/rsyslog.d/a\nb,'), Buffer.from([0xff])])
    const { name, name_base64, path } = fileFor(aDrift({ path: raw }))

    assert.equal(name, 'rsyslog.d/a\\x0ab,\\xff')
    assert.deepEqual(Buffer.from(name_base64 ?? '', 'base64'), raw.subarray('/etc/'.length))
    assert.equal(path, '/etc/rsyslog.d/a\\x0ab,\\xff')
  })

  it('carries the whole path of what is not below /etc/', () => {
    const raw = Buffer.from('/opt/a\\b')
    const { name, name_base64 } = fileFor(aDrift({ path: raw }))

    assert.equal(name, '/opt/a\\\\b')
    assert.deepEqual(Buffer.from(name_base64 ?? '', 'base64'), raw)
  })

  it('names what has no path by its task', () => {
    assert.deepEqual(fileFor({ ...aDrift({ task: 'Install rsyslog', expected: {}, actual: {} }), path_base64: null }), {
      name: 'Install rsyslog',
      kind: 'resource',
      change: 'modified',
      modified_at: '2026-04-21T10:30:00Z',
    })
    assert.equal(fileFor({ ...aDrift({ task: '' }), path_base64: null }).name, 'a task without a name')
  })

  it('tells of the cause, of what is watched, and of two checks that disagree, where the check knows of it', () => {
    const unwatched = [{ name: 'Install rsyslog', reason: 'no_path' }]
    const fullCheckAt = new Date('2026-04-21T10:16:00.500Z')
    const body = reportBody(
      aVerdict({
        status: 'OUT_OF_SYNC',
        drift: [{ ...aDrift(), cause: 'SERVER_CHANGED' }],
        cause: 'SERVER_CHANGED',
        coverage: { checked: 47, total: 47, unchecked: [], watched: 46, unwatched, fullCheckAt },
        check: { method: 'full', disagreement: 'the fast check saw\nno drift' },
      }),
      CONTEXT,
    )

    assert.equal(body.cause, 'SERVER_CHANGED')
    assert.equal(body.files[0]?.cause, 'SERVER_CHANGED')
    const full_check_at = '2026-04-21T10:16:00Z'
    assert.deepEqual(body.coverage, { checked: 47, total: 47, unchecked: [], watched: 46, unwatched, full_check_at })
    assert.equal(body.check?.method, 'full')
    assert.doesNotMatch(body.check?.disagreement ?? '', /\n/)
    assert.deepEqual(parseReport(body), { body, warnings: [] })
  })

  it('says nothing of all that after a plain check', () => {
    const body = reportBody(aVerdict({ coverage: { checked: 3, total: 3, unchecked: [] } }), CONTEXT)
    assert.deepEqual([body.cause, body.check], [undefined, undefined])
    assert.deepEqual(body.coverage, { checked: 3, total: 3, unchecked: [] })
  })

  it('says why nothing is known', () => {
    const error = checkError('unreachable')
    const body = reportBody(aVerdict({ status: 'UNKNOWN', error, coverage: null }), CONTEXT)

    assert.deepEqual([body.sync_status, body.drift_count, body.files, body.error], ['UNKNOWN', 0, [], error])
    assert.equal('coverage' in body, false)
  })

  it('sends the first 5,000 files, and the true count', () => {
    const drift = Array.from({ length: 5_001 }, (_, index) => aDrift({ path: `/etc/rsyslog.d/${index}` }))
    const body = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift }), CONTEXT)

    assert.deepEqual([body.files.length, body.drift_count, body.files_truncated], [5_000, 5_001, true])
    assertTaken(body)
    assert.equal(
      'files_truncated' in reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift: [aDrift()] }), CONTEXT),
      false,
    )
  })

  it('stays below what the server reads, however long the names are', () => {
    for (const path of [Buffer.alloc(400, 0xff), Buffer.alloc(3_000, '\\'), Buffer.from(`/etc/${'🙂'.repeat(700)}`)]) {
      const drift = Array.from({ length: 5_000 }, () => aDrift({ path }))
      const body = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift }), CONTEXT)

      assert(Buffer.byteLength(JSON.stringify(body)) < MAX_BODY_BYTES)
      assertTaken(body)
    }
  })

  it('leaves out a detail that the server would refuse the whole report for', () => {
    const { expected, actual, modified_at } = fileFor(
      aDrift({
        expected: { mode: '77777', sha256: 'x' },
        actual: { owner: 'o'.repeat(600), group: '\u001b[2Jg' },
        modified_at: '292277026596-12-04T15:30:07Z',
      }),
    )
    assert.deepEqual([expected, actual, modified_at], [undefined, { owner: 'o'.repeat(512), group: 'g' }, undefined])
  })

  it("passes the server's own reading, and puts no control character on the wire, whatever was found", () => {
    fc.assert(
      fc.property(hostileHost, fc.nat(), (host, durationMs) => {
        const [verdict] = judge(['rsyslog-lab'], aRun(anEvidence({ hosts: { 'rsyslog-lab': host } })))
        if (verdict === undefined) return
        const body = reportBody(verdict, { ...CONTEXT, durationMs, intervalSeconds: 120 })

        assertTaken(body)
        assert.doesNotMatch(JSON.stringify(body), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        if (verdict.status === 'OUT_OF_SYNC') assert.equal(body.drift_count, host.drift.length)
      }),
      { numRuns: 200 },
    )
  })
})

function fileFor(drift: Verdict['drift'][number]) {
  const [file] = reportBody(aVerdict({ status: 'OUT_OF_SYNC', drift: [drift] }), CONTEXT).files
  assert(file)
  return file
}

function assertTaken(body: ReportBody): void {
  const parsed = parseReport(JSON.parse(JSON.stringify(body)))
  if ('problems' in parsed) assert.fail(JSON.stringify(parsed.problems))
  assert.deepEqual(parsed.warnings, [])
}
