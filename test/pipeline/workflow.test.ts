import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runWorkflow } from './run-workflow.ts'
import { compileWorkflow, type Event, RefusedPipeline, type Trigger } from './workflow.ts'

const PUSH: Trigger = { event: 'push', branch: 'main', defaultBranch: 'main', repository: 'owner/repo', secrets: [] }
const MACHINE = { directory: '/', environment: { PATH: process.env.PATH ?? '' } }

/** Whether a step with this `when` is there. */
function matches(when: string, trigger: Partial<Trigger> = {}): boolean {
  const text = `steps:\n  - name: a\n    image: x\n${when === '' ? '' : `    when: ${when}\n`}  - {name: b, image: x}\n`
  return compileWorkflow(text, { ...PUSH, ...trigger }).some(([step]) => step?.name === 'a')
}

function onlyStep(when: string, trigger: Partial<Trigger> = {}) {
  const stages = compileWorkflow(`steps:\n  - name: a\n    image: x\n    when: ${when}\n`, { ...PUSH, ...trigger })
  return stages[0]?.[0]
}

/** Steps as `name: YAML of the rest`; each without commands of its own succeeds. */
function workflow(steps: Readonly<Record<string, string>>): string {
  const lines = Object.entries(steps).map(([name, rest]) => `  - {name: ${name}, image: x, ${rest}}`)
  return ['steps:', ...lines].join('\n')
}

async function run(steps: Readonly<Record<string, string>>) {
  const { status, steps: results } = await runWorkflow(compileWorkflow(workflow(steps), PUSH), MACHINE)
  return { status, states: Object.fromEntries(results.map(({ name, state }) => [name, state])), results }
}

const OK = "commands: 'true'"
const FAILS = "commands: 'false'"

// The cases are those of Woodpecker's own tests: constraint_test.go, list_test.go, dag_test.go, runtime_test.go.
describe("the pipeline runner holds to Woodpecker's rules", () => {
  describe('when', () => {
    it('lets a step without it run', () => assert(matches('')))

    it('compares event, branch, repository and ref', () => {
      assert(!matches('{ branch: develop }'))
      assert(matches('{ branch: main }'))
      assert(matches('{ repo: owner/* }'))
      assert(!matches('{ repo: octocat/* }'))
      assert(!matches('{ ref: refs/tags/* }'))
      assert(matches('{ ref: refs/tags/* }', { event: 'tag' }))
      assert(matches('{ event: [cron, push] }'))
      assert(!matches('{ event: cron }'))
    })

    it('asks for all of one item, and for any of several', () => {
      assert(!matches('{ event: push, branch: develop }'))
      assert(matches('[{ event: push, branch: develop }, { event: push }]'))
    })

    it('compares the name of a cron job with cron runs only', () => {
      assert(matches('{ event: cron, cron: job1 }', { event: 'cron', cron: 'job1' }))
      assert(!matches('{ event: cron, cron: job2 }', { event: 'cron', cron: 'job1' }))
      assert(matches('{ cron: job2 }', { event: 'push' }))
    })

    it('does not compare the branch of a tag', () => assert(matches('{ branch: develop }', { event: 'tag' })))

    it('knows patterns, and what to include and exclude', () => {
      for (const [list, value, expected] of [
        ['master', 'develop', false],
        ['feature/*', 'feature/foo', true],
        ['feature/*', 'feature/foo/bar', false],
        ['feature/**', 'feature/foo/bar', true],
        ['{ exclude: [master] }', 'master', false],
        ['{ exclude: [master] }', 'develop', true],
        ['{ include: [feature/*, release/*], exclude: [release/1] }', 'release/1', false],
        ['{ include: [feature/*, release/*], exclude: [release/1] }', 'release/2', true],
        ['{ include: [feature/*] }', 'master', false],
      ] as const)
        assert.equal(matches(`{ branch: ${list} }`, { branch: value }), expected, `${value} in ${list}`)
    })

    it('takes what Woodpecker writes in for the default branch', () => {
      const text = ['steps:', '  - name: a', '    image: x', '    when:', `      - branch: \${CI_REPO_DEFAULT_BRANCH}`]
      const stages = (branch: string) => compileWorkflow(text.join('\n'), { ...PUSH, branch, defaultBranch: 'stable' })
      assert.deepEqual([stages('stable').length, stages('main').length], [1, 0])
    })

    it('of the whole file leaves out all of it', () => {
      assert.deepEqual(compileWorkflow(`when: {event: cron}\n${workflow({ a: OK })}`, PUSH), [])
    })
  })

  it('status means success unless the item that holds says otherwise', () => {
    for (const [when, onSuccess, onFailure] of [
      ['{status: [failure]}', false, true],
      ['{status: [success]}', true, false],
      ['{status: [failure, success]}', true, true],
      ['{event: pull_request, status: [failure, success]}', true, true],
      ['{event: pull_request, status: [failure]}', false, true],
      ['{status: success}', true, false],
      ['[{}]', true, false],
      ['[{},{status: failure}]', true, true],
      ['[{event: push, status: success},{status: failure}]', false, true],
      ['[{status: failure},{event: push, status: success}]', false, true],
    ] as const) {
      const step = onlyStep(when, { event: 'pull_request' })
      assert.deepEqual([step?.onSuccess, step?.onFailure], [onSuccess, onFailure], when)
    }
  })

  describe('depends_on', () => {
    const stagesOf = (steps: Readonly<Record<string, string>>) =>
      compileWorkflow(workflow(steps), PUSH).map((stage) => stage.map(({ name }) => name))

    it('is not there: one step after the other', () => {
      assert.deepEqual(stagesOf({ a: OK, b: OK }), [['a'], ['b']])
    })

    it('is there: all that can begins at once', () => {
      const [onA, onBC] = ['depends_on: [a]', 'depends_on: [b, c]']
      assert.deepEqual(stagesOf({ d: onBC, a: OK, b: onA, c: onA, e: OK }), [['a', 'e'], ['b', 'c'], ['d']])
    })

    it('is empty: at once, too', () => {
      assert.deepEqual(stagesOf({ a: OK, b: 'depends_on: []' }), [['a', 'b']])
    })

    it('names a step that `when` leaves out: the pipeline is refused, unless it is optional', () => {
      const a = 'when: {event: cron}'
      assert.throws(() => stagesOf({ a, b: 'depends_on: a' }), /b depends on a, but its `when` leaves it out/)
      assert.deepEqual(stagesOf({ a, b: 'depends_on: [{name: a, optional: true}]' }), [['b']])
    })

    it('names no step, or goes round in a circle: the pipeline is refused', () => {
      assert.throws(() => stagesOf({ a: 'depends_on: x' }), /does not exist/)
      assert.throws(() => stagesOf({ a: 'depends_on: b', b: 'depends_on: a' }), /circle/)
    })
  })

  describe('secrets', () => {
    const withSecret = (events: readonly Event[], trigger: Partial<Trigger> = {}) =>
      compileWorkflow(workflow({ a: 'environment: {KEY: {from_secret: MY_KEY}}' }), {
        ...PUSH,
        secrets: [{ name: 'my_key', value: 'x', events }],
        ...trigger,
      })[0]?.[0]?.environment.KEY

    it('are found whatever their case', () => assert.equal(withSecret(['push']), 'x'))

    it('for pull requests are for every event of one', () => {
      assert.equal(withSecret(['pull_request'], { event: 'pull_request_closed' }), 'x')
    })

    it('that are not there, or not for this event, end the pipeline before it begins', () => {
      assert.throws(() => withSecret([], { secrets: [] }), /secret "my_key" not found/)
      assert.throws(
        () => withSecret(['push'], { event: 'cron' }),
        (error) => {
          return error instanceof RefusedPipeline && /not allowed .* event "cron"/.test(error.message)
        },
      )
    })

    it('of a step that is left out are not looked for', () => {
      const steps = { a: 'environment: {KEY: {from_secret: none}}, when: {event: cron}', b: OK }
      assert.equal(compileWorkflow(workflow(steps), PUSH).length, 1)
    })
  })

  describe('a run', () => {
    it('skips what comes after a failure', async () => {
      const { status, states } = await run({ clone: OK, build: FAILS, deploy: OK })
      assert.deepEqual([status, states], ['failure', { clone: 'success', build: 'failure', deploy: 'skipped' }])
    })

    it('runs steps for failures after one only, and stays failed', async () => {
      const notify = `${OK}, when: {status: failure}`
      assert.deepEqual((await run({ build: FAILS, notify })).states, { build: 'failure', notify: 'success' })
      assert.deepEqual((await run({ build: OK, notify })).states, { build: 'success', notify: 'skipped' })
      assert.equal((await run({ build: FAILS, notify })).status, 'failure')
    })

    it('goes on after a failure that is to be ignored, as if it had been none', async () => {
      const steps = { lint: `${FAILS}, failure: ignore`, build: OK, notify: `${OK}, when: {status: failure}` }
      const { status, states, results } = await run(steps)
      assert.deepEqual([status, states], ['success', { lint: 'failure', build: 'success', notify: 'skipped' }])
      assert.equal(results[1]?.environment.CI_PIPELINE_STATUS, 'success')
    })

    it('lets the others of a stage end when one fails', async () => {
      const { states } = await run({ a: FAILS, b: `${OK}, depends_on: []`, c: `${OK}, depends_on: [b]` })
      assert.deepEqual(states, { a: 'failure', b: 'success', c: 'skipped' })
    })

    it('ends a step at its first command that fails, and shows each command before it', async () => {
      const { results } = await run({ a: 'commands: [echo one, "(exit 3)", echo two]' })
      assert.deepEqual([results[0]?.exitCode, results[0]?.output], [3, '+ echo one\none\n+ (exit 3)\n'])
    })

    it('tells a step of itself and of those before it', async () => {
      const { results } = await run({
        a: FAILS,
        b: "environment: {OWN: 1}, commands: 'echo $CI-$CI_STEP_NAME-$CI_PIPELINE_STATUS-$OWN-$HOME', when: {status: failure}",
      })
      assert.match(results[1]?.output ?? '', /^woodpecker-b-failure-1-$/m)
    })
  })

  it('says so when it is asked for what it does not know', () => {
    for (const text of ['services: {}\nsteps: []', workflow({ a: 'detach: true' }), workflow({ a: 'when: {path: x}' })])
      assert.throws(() => compileWorkflow(text, PUSH), /the runner knows no/)
  })
})
