import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { base64 } from '../../../test/drift/snapshot-builder.ts'
import { deployTimes, recordedDeploys } from './deploys.ts'

const PATH = base64('/etc/app.conf')
const CERTIFIED_AT = new Date('2026-04-21T10:00:00Z')
const [BEFORE, LATER, LAST] = [
  '2026-04-21T09:59:59.9+00:00',
  '2026-04-21T10:00:01.5+00:00',
  '2026-04-21T10:00:02+00:00',
]

describe('recordedDeploys', () => {
  let state: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'deploys-test-'))
    mkdirSync(join(state, 'deploys'))
  })
  afterEach(() => rmSync(state, { recursive: true }))

  /** As the callback plugin does; test/journeys/fast.test.ts has it do so. */
  function record(playbook: string, { host = 'web1', finished_at = LATER, commit = 'head', paths = [PATH] } = {}) {
    const prefix = createHash('sha256').update(`/repository\0${host}`).digest('hex').slice(0, 32)
    const file = join(state, 'deploys', `${prefix}-${playbook}.json`)
    writeFileSync(file, JSON.stringify({ format: 1, commit, finished_at, paths }), { mode: 0o600 })
    return file
  }
  const found = (commit: string | null = 'head') =>
    recordedDeploys(state, { repository: '/repository', host: 'web1', commit })(PATH, CERTIFIED_AT)

  it('knows nothing where nothing is recorded, of this host and path', () => {
    assert.equal(found(), 'not_recorded')
    record('site', { host: 'web2' })
    record('other', { paths: [base64('/etc/other')], finished_at: BEFORE })
    assert.equal(found(), 'not_recorded')
    rmSync(join(state, 'deploys'), { recursive: true })
    assert.equal(found(), 'not_recorded')
  })

  it('knows that none followed where deploys are recorded', () => {
    record('site', { finished_at: BEFORE })
    assert.equal(found(), 'none')
  })

  it('tells a deploy of what Git says from another', () => {
    record('site')
    assert.equal(found(), 'current')
    assert.equal(found('another'), 'other')
    assert.equal(found(null), 'other')
  })

  it('believes the last of several playbooks', () => {
    record('one', { commit: 'before' })
    record('two', { finished_at: LAST })
    assert.equal(found(), 'current')
    record('three', { finished_at: '2026-04-21T10:00:03Z', commit: 'before' })
    assert.equal(found(), 'other')
  })

  it('does not know what a deploy did that does not name the path: it may be of a commit without it', () => {
    record('site', { finished_at: BEFORE })
    record('other', { paths: [base64('/etc/other')] })
    assert.equal(found(), 'other')
  })

  it('passes over a run that deployed nothing, such as one that validates', () => {
    record('site', { finished_at: BEFORE })
    record('validate', { paths: [] })
    assert.equal(found(), 'none')
  })

  it('tells when a path was rolled out, also by a version that did not write down when it began', () => {
    const times = () => deployTimes(state, { repository: '/repository', host: 'web1' })(PATH)
    assert.deepEqual(times(), [])
    const at = Date.parse(LATER) / 1_000
    const file = record('site')
    assert.deepEqual(times(), [{ from: at, to: at }])
    const started = { ...JSON.parse(readFileSync(file, 'utf8')), started_at: BEFORE }
    writeFileSync(file, JSON.stringify(started))
    assert.deepEqual(times(), [{ from: Date.parse(BEFORE) / 1_000, to: at }])
    writeFileSync(file, JSON.stringify({ ...started, started_at: 7 }))
    assert.deepEqual(times(), [])
  })

  it('takes nothing from a record that others can write, or that is none', () => {
    chmodSync(record('site'), 0o666)
    assert.equal(found(), 'not_recorded')
    for (const text of ['', '{}', '{"format":1,"commit":7,"finished_at":"x","paths":[]}', '[]']) {
      writeFileSync(record('site'), text)
      assert.equal(found(), 'not_recorded')
    }
  })
})
