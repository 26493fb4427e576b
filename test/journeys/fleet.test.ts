import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Lab, startLab } from '../lab/lab-server.ts'
import { itTakesLong, LONG } from '../server/long.ts'
import { command, handEnvironment, pipelineEnvironment, type RunningServer, startServer } from './product.ts'

/** One hand edit for each server, and what it must show up as. */
const EDITS: Readonly<Record<string, Edit>> = {
  appended: { by: 'echo "# by hand" >> /etc/rsyslog.d/30-lab.conf', file: 'rsyslog.d/30-lab.conf', change: 'modified' },
  deleted: { by: 'rm /etc/rsyslog.d/30-lab.conf', file: 'rsyslog.d/30-lab.conf', change: 'missing' },
  chmodded: { by: 'chmod 600 /etc/rsyslog.conf', file: 'rsyslog.conf', change: 'metadata' },
  chowned: { by: 'chown games /etc/rsyslog.d/30-lab.conf', file: 'rsyslog.d/30-lab.conf', change: 'metadata' },
  linked: {
    by: 'mv /etc/rsyslog.d/30-lab.conf /srv/same.conf && ln -s /srv/same.conf /etc/rsyslog.d/30-lab.conf',
    file: 'rsyslog.d/30-lab.conf',
    change: 'modified',
  },
  extended: { by: 'echo "# extra" > /etc/rsyslog.d/.hidden.conf', file: 'rsyslog.d/.hidden.conf', change: 'extra' },
  untouched: { by: 'true', file: null, change: null },
}

interface Edit {
  readonly by: string
  readonly file: string | null
  readonly change: string | null
}

// Each server costs Ansible ten seconds of two cores, and test/ansible/rsyslog-role.test.ts has every kind of edit too.
const names = LONG ? Object.keys(EDITS) : ['appended', 'linked', 'untouched']
const edited = names.filter((name) => name !== 'untouched')
const editOf = (name: string) => EDITS[name] ?? assert.fail(name)

describe('a fleet in one report', { timeout: 400_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-fleet-'))
  const inventory = join(directory, 'hosts.yml')
  let lab: Lab
  let server: RunningServer

  const report = () =>
    command('./update-gitops-status.sh', ['--inventory', inventory], pipelineEnvironment(lab, server.url))
  const deploy = () =>
    command(
      'ansible-playbook',
      ['-i', inventory, '--forks', '10', 'ansible/playbooks/deploy.yml'],
      handEnvironment(lab),
    )

  before(async () => {
    writeFileSync(inventory, `all:\n  hosts:\n${names.map((name) => `    ${name}:\n`).join('')}`)
    lab = await startLab({ servers: names })
    server = await startServer()
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    await lab?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('names on each server exactly the file that was edited there, and how', async (t) => {
    if (LONG && !lab.server('chowned').canChown) return t.skip('needs root: files on this lab can belong to root only')
    const deployed = await deploy()
    assert.equal(deployed.code, 0, deployed.stdout)
    for (const name of names) assert.equal((await lab.server(name).run(editOf(name).by)).code, 0, name)

    const { code, stderr } = await report()

    assert.equal(code, 0, stderr)
    const found = await Promise.all(
      names.map(async (name) => {
        const { sync_status, files } = await server.statusJson(`?server=${name}`)
        return [name, sync_status, ...files.map((file) => [file.name, file.change])]
      }),
    )
    assert.deepEqual(
      found,
      names.map((name) => {
        const { file, change } = editOf(name)
        return file === null ? [name, 'SYNCED'] : [name, 'OUT_OF_SYNC', [file, change]]
      }),
    )
  })

  it('rolls the servers up: the worst status, all the drift, every file with its server', async () => {
    const { repo, server: name, sync_status, drift_count, files, items } = await server.statusJson()

    assert.deepEqual(
      { repo, name, sync_status, drift_count },
      { repo: 'rsyslog', name: null, sync_status: 'OUT_OF_SYNC', drift_count: edited.length },
    )
    assert.ok(files.every((file) => file.repo === 'rsyslog' && names.includes(file.server ?? '')))
    assert.equal(items.length, names.length)
    assert.equal(items.at(-1)?.server, 'untouched')
  })

  it('leaves one server that is down UNKNOWN and judges the others', async () => {
    await lab.server('appended').refuse()

    const { code } = await report()
    await lab.server('appended').resume()

    assert.equal(code, 1)
    const { items } = await server.statusJson()
    const status = Object.fromEntries(items.map((item) => [item.server, item.sync_status]))
    assert.deepEqual(status, {
      ...Object.fromEntries(edited.map((name) => [name, 'OUT_OF_SYNC'])),
      appended: 'UNKNOWN',
      untouched: 'SYNCED',
    })
  })

  itTakesLong('is SYNCED everywhere after a deploy', async () => {
    const deployed = await deploy()
    assert.equal(deployed.code, 0, deployed.stdout)

    assert.equal((await report()).code, 0)

    const { sync_status, drift_count, items } = await server.statusJson()
    assert.deepEqual({ sync_status, drift_count }, { sync_status: 'SYNCED', drift_count: 0 })
    assert.ok(items.every((item) => item.sync_status === 'SYNCED'))
  })
})
