import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { aVerdict } from '../../test/reporter/evidence-builder.ts'
import { parseReport } from '../contract/report.ts'
import { originOf } from './ci.ts'
import { reportBody } from './report-body.ts'

const WOODPECKER = {
  CI: 'woodpecker',
  CI_REPO: 'lab/rsyslog',
  CI_COMMIT_SHA: '0a89412',
  CI_COMMIT_BRANCH: 'main',
  CI_PIPELINE_FORGE_URL: 'https://git.example/lab/rsyslog/commit/0a89412',
  CI_PIPELINE_URL: 'https://ci.example/repos/1/pipeline/42',
  CI_PIPELINE_NUMBER: '42',
  CI_PIPELINE_EVENT: 'cron',
}
const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'lab/rsyslog',
  GITHUB_SHA: '0a89412',
  GITHUB_REF_NAME: 'main',
  GITHUB_RUN_ID: '77',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_RUN_NUMBER: '42',
  GITHUB_EVENT_NAME: 'schedule',
}
const GITLAB = {
  GITLAB_CI: 'true',
  CI: 'true',
  CI_COMMIT_SHA: '0a89412',
  CI_COMMIT_REF_NAME: 'main',
  CI_PROJECT_URL: 'https://gitlab.example/lab/rsyslog',
  CI_PROJECT_PATH: 'lab/rsyslog',
  CI_PIPELINE_URL: 'https://gitlab.example/lab/rsyslog/-/pipelines/77',
  CI_PIPELINE_ID: '77',
  CI_PIPELINE_IID: '42',
  CI_PIPELINE_SOURCE: 'schedule',
  CI_JOB_ID: '5',
}

describe('originOf', () => {
  it('knows Woodpecker', () => {
    assert.deepEqual(originOf(WOODPECKER), {
      name: 'Woodpecker',
      revision: { commit: '0a89412', branch: 'main', url: 'https://git.example/lab/rsyslog/commit/0a89412' },
      pipeline: { url: 'https://ci.example/repos/1/pipeline/42', number: 42, event: 'cron' },
      runId: 'lab/rsyslog/42/0',
    })
    assert.equal(originOf({ ...WOODPECKER, CI_PIPELINE_RERUNS: '1' }).runId, 'lab/rsyslog/42/1')
  })

  it('knows GitHub, and Forgejo that calls itself GitHub', () => {
    const origin = {
      revision: { commit: '0a89412', branch: 'main', url: 'https://github.com/lab/rsyslog/commit/0a89412' },
      pipeline: { url: 'https://github.com/lab/rsyslog/actions/runs/77', number: 42, event: 'schedule' },
      runId: 'lab/rsyslog/77/2',
    }
    assert.deepEqual(originOf(GITHUB), { name: 'GitHub Actions', ...origin })
    for (const name of ['FORGEJO_ACTIONS', 'GITEA_ACTIONS']) {
      assert.deepEqual(originOf({ ...GITHUB, [name]: 'true' }), { name: 'Forgejo Actions', ...origin })
    }
  })

  it('knows GitLab', () => {
    assert.deepEqual(originOf(GITLAB), {
      name: 'GitLab CI',
      revision: { commit: '0a89412', branch: 'main', url: 'https://gitlab.example/lab/rsyslog/-/commit/0a89412' },
      pipeline: { url: 'https://gitlab.example/lab/rsyslog/-/pipelines/77', number: 42, event: 'schedule' },
      runId: 'lab/rsyslog/77/5',
    })
  })

  it('is run by hand elsewhere', () => {
    assert.deepEqual(originOf({}), { name: 'by hand' })
    assert.deepEqual(originOf({ CI: 'true', CI_COMMIT_SHA: 'x' }), { name: 'by hand' })
  })

  it('leaves out what the CI does not say, or says wrongly', () => {
    const { revision, pipeline, runId } = originOf({
      CI: 'woodpecker',
      CI_COMMIT_SHA: 'x',
      CI_PIPELINE_FORGE_URL: 'javascript:alert(1)',
      CI_PIPELINE_URL: 'https://a b',
      CI_PIPELINE_NUMBER: '-1',
    })
    assert.deepEqual([revision, pipeline, runId], [{ commit: 'x' }, {}, undefined])
    assert.equal(originOf({ GITHUB_ACTIONS: 'true', GITHUB_SHA: 'x' }).revision?.url, undefined)
  })

  it('never makes a report that the server refuses', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '',
        '\u0000',
        '\ud800',
        `x${'🙂'.repeat(300)}`,
        `https://x/${'y'.repeat(3_000)}`,
        '9'.repeat(20),
        'https://x',
      ),
    )
    const names = [...new Set([WOODPECKER, GITHUB, GITLAB].flatMap(Object.keys))]
    const env = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
    fc.assert(
      fc.property(
        env,
        fc.constantFrom({ CI: 'woodpecker' }, { GITHUB_ACTIONS: 'true' }, { GITLAB_CI: 'true' }),
        (some, ci) => {
          const origin = originOf({ ...some, ...ci })
          const context = { repo: 'r', startedAt: new Date(0), durationMs: 1, intervalSeconds: null, origin }
          const parsed = parseReport(JSON.parse(JSON.stringify(reportBody(aVerdict(), context))))
          if ('problems' in parsed) assert.fail(JSON.stringify(parsed.problems))
        },
      ),
      { numRuns: 300 },
    )
  })
})
