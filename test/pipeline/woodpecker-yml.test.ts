import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ROOT, type RunningServer, startServer } from '../journeys/product.ts'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'
import { makeRepository, runGitopsStatus } from '../reporter/check-run.ts'
import { itTakesLong } from '../server/long.ts'
import { type PipelineResult, runWorkflow } from './run-workflow.ts'
import { compileWorkflow, type Event, RefusedPipeline, type Trigger } from './workflow.ts'

const SERVER_URL = 'http://gitops-status-server.observability-stack.svc.cluster.local:80'
const FILE = readFileSync(join(ROOT, '.woodpecker.yml'), 'utf8')
const EVENTS: readonly Event[] = ['push', 'cron', 'manual']
const TRIGGER: Trigger = {
  event: 'push',
  branch: 'master',
  defaultBranch: 'master',
  repository: 'ops/rsyslog',
  secrets: [{ name: 'ssh_private_key', value: 'the key', events: EVENTS }],
}
const CRON: Partial<Trigger> = { event: 'cron', cron: 'gitops_sync_check' }

describe('.woodpecker.yml', () => {
  const stages = (trigger: Partial<Trigger>) => compileWorkflow(FILE, { ...TRIGGER, ...trigger })
  const names = (trigger: Partial<Trigger>) => stages(trigger).map((stage) => stage.map(({ name }) => name).join())

  it('runs for each event what it should, one step after the other', () => {
    const all = ['syntax-check', 'validate', 'deploy', 'update-gitops-status']
    for (const [trigger, expected] of [
      [{}, all],
      [{ branch: 'main', defaultBranch: 'main' }, all],
      [{ branch: 'feature/x' }, ['syntax-check']],
      [{ event: 'pull_request' }, ['syntax-check']],
      [CRON, ['update-gitops-status']],
      [{ ...CRON, cron: 'nightly' }, []],
      [{ ...CRON, branch: 'old' }, []],
      [{ event: 'manual' }, ['update-gitops-status']],
      [{ event: 'manual', branch: 'feature/x' }, []],
      [{ event: 'tag' }, []],
      [{ event: 'release' }, []],
      [{ event: 'deployment' }, []],
    ] as const)
      assert.deepEqual(names(trigger), expected, JSON.stringify(trigger))
  })

  it('gives update-gitops-status the environment of the requirement, and the key to no pull request', () => {
    const [step] = stages(CRON)[0] ?? []
    const own = Object.entries(step?.environment ?? {}).filter(([name]) => !name.startsWith('CI'))
    assert.deepEqual(own, [
      ['GITOPS_STATUS_SERVER_URL', SERVER_URL],
      ['REPO_NAME', 'rsyslog'],
      ['SERVER_NAME', 'rsyslog-lab'],
      ['SSH_PRIVATE_KEY', 'the key'],
      ['ANSIBLE_CONFIG', 'ansible.cfg'],
    ])
    const forPullRequests = stages({ event: 'pull_request', secrets: [] }).flat()
    assert(!JSON.stringify(forPullRequests).includes('the key'))
  })

  it('needs a secret that cron and manual may use', () => {
    const secrets = [{ name: 'ssh_private_key', value: 'x', events: ['push' as const] }]
    for (const trigger of [CRON, { event: 'manual' as const }])
      assert.throws(() => stages({ ...trigger, secrets }), RefusedPipeline)
  })
})

describe('pipelines against a real server', { timeout: 300_000 }, () => {
  let lab: LabServer
  let server: RunningServer
  let checkout: string
  before(async () => {
    lab = await startLabServer({ name: 'rsyslog-lab' })
    server = await startServer()
    checkout = mkdtempSync(join(tmpdir(), 'gitops-status-pipeline-'))
    copyRepository(checkout)
    commit(lab)
  })
  after(async () => {
    rmSync(checkout, { recursive: true, force: true })
    await server?.[Symbol.asyncDispose]()
    await lab?.stop()
  })

  /** What a user puts into Git: where the server is, its host key, and where the status server is. */
  function commit({ host, port, knownHosts }: LabServer): void {
    const address = `      ansible_host: ${host}\n      ansible_port: ${port}\n      ansible_user: root\n`
    const inventory = join(checkout, 'ansible/inventory/hosts.yml')
    writeFileSync(inventory, readFileSync(inventory, 'utf8').trimEnd().concat(`\n${address}`))
    writeFileSync(join(checkout, 'ansible/known_hosts'), knownHosts)
    writeFileSync(join(checkout, '.woodpecker.yml'), FILE.replace(SERVER_URL, server.url))
  }

  async function run(trigger: Partial<Trigger>, directory = checkout): Promise<PipelineResult> {
    const stages = compileWorkflow(readFileSync(join(directory, '.woodpecker.yml'), 'utf8'), {
      ...TRIGGER,
      secrets: [{ name: 'ssh_private_key', value: lab.privateKey, events: EVENTS }],
      variables: { CI_COMMIT_SHA: 'f'.repeat(40), CI_PIPELINE_NUMBER: '17' },
      ...trigger,
    })
    // The image: a Node, Ansible and an SSH client on the path, and a home that nobody else uses.
    const PATH = [dirname(process.execPath), join(ROOT, 'bin'), process.env.PATH].join(':')
    return runWorkflow(stages, { directory, environment: { PATH, HOME: directory } })
  }

  const states = ({ steps }: PipelineResult) => steps.map(({ name, state }) => `${name}: ${state}`)
  const shown = (result: PipelineResult) => result.steps.map(({ output }) => output).join('\n')

  it('checks, deploys and reports a push', async () => {
    const result = await run({})

    assert.deepEqual(
      states(result),
      ['syntax-check: success', 'validate: success', 'deploy: success', 'update-gitops-status: success'],
      shown(result),
    )
    assert.match(shown(result), /^✓ Status update successful \(HTTP 200\)$/m)
    assert.doesNotMatch(shown(result), /PRIVATE KEY-----/)
    const { sync_status, items } = await server.statusJson()
    assert.equal(sync_status, 'SYNCED')
    assert.deepEqual([items[0]?.repo, items[0]?.server], ['rsyslog', 'rsyslog-lab'])
  })

  it('reports on the cron job what somebody changed by hand, and deploys nothing', async () => {
    await lab.run('echo "# by hand" >>/etc/rsyslog.d/30-lab.conf')

    const result = await run(CRON)

    assert.deepEqual([result.status, states(result)], ['success', ['update-gitops-status: success']], shown(result))
    const { sync_status, files } = await server.statusJson()
    assert.equal(sync_status, 'OUT_OF_SYNC')
    assert.deepEqual(
      files.map(({ name }) => name),
      ['rsyslog.d/30-lab.conf'],
    )
    assert.match(String(await lab.readFile('/etc/rsyslog.d/30-lab.conf')), /# by hand/)
  })

  it('reports a push whose deploy failed, and stays red', async () => {
    const playbook = join(checkout, 'ansible/playbooks/deploy.yml')
    const tasks = '  pre_tasks:\n    - ansible.builtin.fail:\n        msg: no room on the server\n'
    writeFileSync(playbook, readFileSync(playbook, 'utf8').replace(/^ {2}roles:/m, `${tasks}$&`))
    // Meanwhile somebody mended it by hand.
    await lab.run("sed -i '/# by hand/d' /etc/rsyslog.d/30-lab.conf")

    const result = await run({})

    assert.deepEqual(
      [result.status, ...states(result)],
      ['failure', 'syntax-check: success', 'validate: success', 'deploy: failure', 'update-gitops-status: success'],
      shown(result),
    )
    assert.equal(result.steps.at(-1)?.environment.CI_PIPELINE_STATUS, 'failure')
    assert.equal((await server.statusJson()).sync_status, 'SYNCED')
  })

  it('checks the syntax of a pull request, and touches no server', async () => {
    writeFileSync(join(checkout, 'ansible/playbooks/deploy.yml'), '- hosts: all\n  tasks: nonsense\n')

    const result = await run({ event: 'pull_request', secrets: [] })

    assert.deepEqual([result.status, states(result)], ['failure', ['syntax-check: failure']], shown(result))
  })

  it('says UNKNOWN, and is red, when the server cannot be reached on a manual run', async () => {
    await lab.refuse()

    const result = await run({ event: 'manual' })
    await lab.resume()

    assert.deepEqual([result.status, states(result)], ['failure', ['update-gitops-status: failure']], shown(result))
    assert.equal(result.steps[0]?.exitCode, 1)
    const { sync_status, error } = await server.statusJson()
    assert.deepEqual([sync_status, error?.code], ['UNKNOWN', 'unreachable'])
  })

  describe("in a repository of one's own that init set up", () => {
    const PLAYBOOK = `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "from Git\\n"
        dest: /etc/own.conf
        mode: "0644"
`
    let own: ReturnType<typeof makeRepository>
    before(async () => {
      const { host, port, knownHosts } = lab
      own = makeRepository({
        'site.yml': PLAYBOOK,
        'hosts.ini': `rsyslog-lab ansible_host=${host} ansible_port=${port} ansible_user=root\n`,
        'ansible/known_hosts': knownHosts,
      })
      const args = [
        'init',
        '--ci',
        'woodpecker',
        '--server-url',
        server.url,
        '--repo-name',
        'own',
        '--branch',
        'master',
      ]
      const { code, stderr } = await runGitopsStatus({ directory: own.directory, args, env: {} })
      assert.deepEqual([code, stderr], [0, ''])
    })
    after(() => own?.[Symbol.dispose]())

    const status = async () => (await server.statusJson('?repo=own')).sync_status

    it('the cron job finds what was never deployed', async () => {
      const result = await run(CRON, own.directory)

      assert.deepEqual([result.status, await status()], ['success', 'OUT_OF_SYNC'], shown(result))
    })

    it('the drift check refuses to run by hand without --check, where it would deploy', async () => {
      const args = ['-i', 'hosts.ini', 'ansible/playbooks/drift-check.yml']
      const env = { ...process.env, ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfig}` }
      const { status: code, stdout } = spawnSync('ansible-playbook', args, {
        cwd: own.directory,
        env,
        encoding: 'utf8',
      })

      assert.equal(code, 2)
      assert.match(stdout, /Run it with --check, or with gitops-status check: without, it would deploy/)
      assert.equal((await lab.run('cat /etc/own.conf')).code, 1)
    })

    itTakesLong('a push deploys it', async () => {
      const result = await run({}, own.directory)

      assert.deepEqual([result.status, await status()], ['success', 'SYNCED'], shown(result))
      assert.equal(String(await lab.readFile('/etc/own.conf')), 'from Git\n')
    })
  })
})

/** As a fresh clone would have it, without node_modules. */
function copyRepository(to: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const needed = /^(ansible|bin|src)\/|^[^/]+$/
  for (const path of listed.split('\0').filter((name) => needed.test(name))) cpSync(join(ROOT, path), join(to, path))
}
