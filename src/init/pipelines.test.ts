import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { validateWorkflow } from '@action-validator/core'
import { parse, parseDocument } from 'yaml'
import { CI_NAMES, type CiName, PIPELINES } from './pipelines.ts'
import type { RepositoryFacts } from './repository-facts.ts'

const FACTS: RepositoryFacts = {
  repo: 'web',
  server: null,
  serverUrl: 'https://status.example.org',
  branch: 'main',
  isBranchChosen: false,
  image: 'registry.example.org:5000/ops/gitops-status-reporter:0.1.0',
  inventory: 'inventory/hosts.ini',
  deployPlaybook: 'site.yml',
  validatePlaybook: null,
  ansibleConfig: null,
  configuresHostKeys: false,
  token: true,
}
const HOSTILE: RepositoryFacts = {
  ...FACTS,
  repo: '1e3',
  server: 'no',
  serverUrl: 'http://[::1]:8080/a%20b',
  branch: '0x1',
  isBranchChosen: true,
}
const render = (ci: CiName, facts = FACTS) => PIPELINES[ci].render(facts)

// What the tests look at; the whole of it is a schema's business.
interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly env?: Record<string, string>
  readonly if?: string
}
interface Job {
  readonly if: string
  readonly steps: readonly Step[]
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean }
}
const readWorkflow = (ci: CiName, facts = FACTS) =>
  parse(render(ci, facts)) as { readonly on: Record<string, unknown>; readonly jobs: Record<string, Job> }

describe('a pipeline that init writes', () => {
  for (const ci of CI_NAMES) {
    it(`is YAML without a warning, and says what it was told: ${ci}`, () => {
      for (const facts of [FACTS, HOSTILE]) {
        const document = parseDocument(render(ci, facts), { strict: true })
        assert.deepEqual([document.errors, document.warnings], [[], []])
        const text = JSON.stringify(document.toJS())
        for (const value of [facts.serverUrl, facts.repo, facts.image]) assert(text.includes(`"${value}"`), value)
      }
    })

    it(`lets a check mode that fails keep nobody from a deploy, but a playbook that validates: ${ci}`, () => {
      const mayFail = /failure: ignore$|continue-on-error: true$|allow_failure: true$/m
      assert.match(render(ci), mayFail)
      assert.doesNotMatch(render(ci, { ...FACTS, validatePlaybook: 'validate.yml' }), mayFail)
    })

    it(`takes host keys from the repository and no others: ${ci}`, () => {
      const keys = 'ANSIBLE_SSH_EXTRA_ARGS: -o UserKnownHostsFile=ansible/known_hosts -o StrictHostKeyChecking=yes'
      assert.equal(render(ci).split(keys.replace(': ', ': "')).length - 1, 2, 'for validate and deploy')
      assert.equal(render(ci).split('ANSIBLE_HOST_KEY_CHECKING: "true"').length - 1, 2)
      assert(!render(ci, { ...FACTS, configuresHostKeys: true, ansibleConfig: 'ansible.cfg' }).includes('KnownHosts'))
    })
  }

  for (const ci of ['woodpecker', 'gitlab'] as const) {
    it(`has the four steps of the requirement in their order: ${ci}`, () => {
      const names = [...render(ci).matchAll(/^(?: {2}- name: (\S+)|([a-z-]+):\n {2}stage: .*)$/gm)]
      assert.deepEqual(
        names.map(([, step, job]) => step ?? job),
        ['syntax-check', 'validate', 'deploy', 'update-gitops-status'],
      )
    })
  }

  it('is the .woodpecker.yml at the root for this very repository', () => {
    const facts = {
      ...FACTS,
      repo: 'rsyslog',
      server: 'rsyslog-lab',
      serverUrl: 'http://gitops-status-server.observability-stack.svc.cluster.local:80',
      image: 'gitops-status-reporter:0.1.0',
      inventory: 'ansible/inventory/hosts.yml',
      deployPlaybook: 'ansible/playbooks/deploy.yml',
      validatePlaybook: 'ansible/playbooks/validate.yml',
      ansibleConfig: 'ansible.cfg',
      configuresHostKeys: true,
      token: false,
    }
    assert.equal(readFileSync(new URL('../../.woodpecker.yml', import.meta.url), 'utf8'), render('woodpecker', facts))
  })

  for (const ci of ['github', 'gitea', 'forgejo'] as const) {
    describe(PIPELINES[ci].title, () => {
      it('takes the file for a valid workflow', () => {
        for (const facts of [FACTS, HOSTILE]) assert.deepEqual(validateWorkflow(render(ci, facts)).errors, [])
      })

      it('gives no secret to a pull request', () => {
        const { jobs } = readWorkflow(ci)
        const onPullRequest = Object.values(jobs).filter((job) => job.if.includes('pull_request'))
        assert.equal(onPullRequest.length, 1)
        assert(!JSON.stringify(onPullRequest).includes('secrets.'))
      })

      it('reports after the deploy whether it succeeded or not', () => {
        const steps = readWorkflow(ci).jobs.deploy?.steps ?? []
        const conditions = steps.map((step) => [step.name ?? 'checkout', step.if])
        assert.deepEqual(conditions, [
          ['checkout', undefined],
          ['syntax-check', undefined],
          ['validate', undefined],
          ['deploy', undefined],
          ['update-gitops-status', 'always()'],
        ])
      })

      it('deploys from the branch only, and never loses a deploy to a check that waits', () => {
        const { jobs, on } = readWorkflow(ci)
        assert.deepEqual(on.push, { branches: ['main'] })
        assert.equal(jobs.deploy?.if, "github.event_name == 'push' && github.ref == 'refs/heads/main'")
        assert.match(jobs.gitops_sync_check?.if ?? '', /^github\.ref == 'refs\/heads\/main' && \(.*schedule.*\)$/)
        assert.notEqual(jobs.deploy?.concurrency?.group, jobs.gitops_sync_check?.concurrency?.group)
        for (const job of Object.values(jobs)) assert(!job.concurrency?.['cancel-in-progress'])
      })

      it('names its action by commit', () => {
        for (const { steps } of Object.values(readWorkflow(ci).jobs))
          assert.match(steps[0]?.uses ?? '', /@[0-9a-f]{40}$/)
      })
    })
  }

  it('tells the server how seldom GitHub and GitLab really check', () => {
    const seldom = CI_NAMES.filter((ci) => render(ci).includes('GITOPS_STATUS_INTERVAL: "900"'))
    assert.deepEqual(seldom, ['github', 'gitlab'])
  })

  describe('GitLab CI', () => {
    type GitLabJob = {
      readonly stage: string
      readonly script: readonly string[]
      readonly rules: readonly { readonly if: string; readonly when?: string }[]
      readonly resource_group?: string
    }
    const { stages, default: byDefault, ...jobs } = parse(render('gitlab')) as Record<string, unknown>
    const job = (name: string) => jobs[name] as GitLabJob
    /** GitLab takes the first rule that holds; the rules here are `==` and `&&` only. */
    const when = (name: string, variables: Record<string, string>) => {
      const holds = (rule: string) =>
        rule.split(' && ').every((part) => {
          const [left = '', right = ''] = part.split(' == ')
          const value = (term: string) => (term.startsWith('$') ? variables[term.slice(1)] : term.slice(1, -1))
          return value(left) === value(right)
        })
      const rule = job(name).rules.find((one) => holds(one.if))
      return rule === undefined ? 'never' : (rule.when ?? 'on_success')
    }
    const all = (source: string, more: Record<string, string> = {}) =>
      Object.keys(jobs).map((name) => when(name, { CI_PIPELINE_SOURCE: source, CI_DEFAULT_BRANCH: 'main', ...more }))

    it('has known keys only, and a stage for each job', () => {
      assert.deepEqual(Object.keys(jobs), stages)
      assert.deepEqual(Object.keys(byDefault as object), ['image'])
      const known = ['stage', 'variables', 'script', 'rules', 'resource_group', 'allow_failure']
      for (const name of Object.keys(jobs)) {
        assert.deepEqual(
          Object.keys(job(name)).filter((key) => !known.includes(key)),
          [],
        )
        assert.equal(job(name).stage, name)
      }
    })

    it('runs for each kind of pipeline what it should', () => {
      const main = { CI_COMMIT_BRANCH: 'main' }
      assert.deepEqual(all('push', main), ['on_success', 'on_success', 'on_success', 'always'])
      assert.deepEqual(all('push', { CI_COMMIT_BRANCH: 'other' }), ['never', 'never', 'never', 'never'])
      assert.deepEqual(all('merge_request_event'), ['on_success', 'never', 'never', 'never'])
      for (const source of ['schedule', 'web'])
        assert.deepEqual(all(source, main), ['never', 'never', 'never', 'on_success'])
      assert.deepEqual(all('web', { CI_COMMIT_BRANCH: 'other' }), ['never', 'never', 'never', 'never'])
    })

    it('deploys the branch that somebody named, whatever the default one is', () => {
      for (const ci of CI_NAMES)
        assert.match(render(ci, { ...FACTS, branch: 'prod', isBranchChosen: true }), /\bprod\b/, ci)
      assert.doesNotMatch(render('woodpecker', { ...FACTS, branch: 'prod', isBranchChosen: true }), /DEFAULT_BRANCH/)
    })

    it('lets deploy and check wait for each other', () => {
      assert.deepEqual([job('deploy').resource_group, job('update-gitops-status').resource_group], ['gitops', 'gitops'])
    })
  })
})
