import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'
import { itTakesLong } from '../server/long.ts'
import { command, handEnvironment, pipelineEnvironment, type RunningServer, startServer } from './product.ts'

// The main job, as in the requirement: one server, one repository, the script of the pipeline.
describe('from a changed file on a real server to /status.json', { timeout: 600_000 }, () => {
  let lab: LabServer
  let server: RunningServer
  const report = () =>
    command('./update-gitops-status.sh', [], {
      ...pipelineEnvironment(lab, server.url),
      CI: 'woodpecker',
      SERVER_NAME: 'rsyslog-lab',
    })
  const playbook = (name: string) =>
    command(
      'ansible-playbook',
      ['-i', 'ansible/inventory/hosts.yml', `ansible/playbooks/${name}.yml`],
      handEnvironment(lab),
    )

  before(async () => {
    lab = await startLabServer({ name: 'rsyslog-lab' })
    server = await startServer()
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    await lab?.stop()
  })

  it('knows nothing before the first report', async () => {
    const status = await server.statusJson()

    assert.equal(status.sync_status, 'UNKNOWN')
    assert.equal(status.reason, 'never_reported')
  })

  it('is SYNCED after a deploy, and says so in the words of the requirement', async () => {
    assert.equal((await playbook('deploy')).code, 0)

    const { code, stdout, stderr } = await report()

    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(
      stdout.split('\n').filter((line) => /^(==>|Step|✓)/.test(line)),
      readFileSync(new URL('../golden/reporter/steps.txt', import.meta.url), 'utf8')
        .trimEnd()
        .split('\n'),
    )
    const { repo, server: name, sync_status, drift_count, files } = await server.statusJson()
    assert.deepEqual(
      { repo, server: name, sync_status, drift_count, files },
      { repo: 'rsyslog', server: 'rsyslog-lab', sync_status: 'SYNCED', drift_count: 0, files: [] },
    )
  })

  it('logs the POST and who sent it', { timeout: 10_000 }, async () => {
    // Lines are written in groups, a moment after the answer.
    while (!server.log.some((line) => line.includes('POST /api/status from Woodpecker'))) await wait(20)
  })

  it('is OUT_OF_SYNC at the next check after a file was edited by hand', async () => {
    await lab.run('echo "# by hand" >> /etc/rsyslog.d/30-lab.conf')

    assert.equal((await report()).code, 0)

    const status = await server.statusJson()
    assert.equal(status.sync_status, 'OUT_OF_SYNC')
    assert.deepEqual(
      status.files.map(({ name, change }) => ({ name, change })),
      [{ name: 'rsyslog.d/30-lab.conf', change: 'modified' }],
    )
  })

  it('still knows it after the server was killed', async () => {
    const before = await server.statusJson()

    await server.killAndRestart()

    const { sync_status, files, last_check } = await server.statusJson()
    assert.deepEqual(
      { sync_status, files, last_check },
      { sync_status: 'OUT_OF_SYNC', files: before.files, last_check: before.last_check },
    )
  })

  it('prints the lines of the requirement when the playbook is run by hand', async () => {
    const { code, stdout } = await playbook('drift-check')

    assert.equal(code, 0)
    assert.match(stdout, /^DRIFTED_FILES=\/etc\/rsyslog[.]d\/30-lab[.]conf\nSYNC_STATUS=OUT_OF_SYNC$/m)
  })

  it('is UNKNOWN, with the drift still on show, when the server cannot be reached', async () => {
    await lab.refuse()

    const { code } = await report()
    await lab.resume()

    assert.equal(code, 1)
    const status = await server.statusJson()
    assert.equal(status.sync_status, 'UNKNOWN')
    assert.equal(status.reason, 'check_failed')
    assert.equal(status.error?.code, 'unreachable')
    assert.equal(status.last_known?.sync_status, 'OUT_OF_SYNC')
    assert.deepEqual(
      status.files.map(({ name }) => name),
      ['rsyslog.d/30-lab.conf'],
    )
  })

  it('is SYNCED again after a deploy', async () => {
    assert.equal((await playbook('deploy')).code, 0)

    assert.equal((await report()).code, 0)

    assert.equal((await server.statusJson()).sync_status, 'SYNCED')
  })

  itTakesLong('changes nothing on a second deploy', async () => {
    const { stdout } = await playbook('deploy')

    assert.match(stdout, /changed=0 /)
  })
})
