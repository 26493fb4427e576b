import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Lab, type LabServer, startLab } from '../lab/lab-server.ts'
import { makeRepository } from '../reporter/check-run.ts'
import { createEventReader } from '../server/event-reader.ts'
import { itTakesLong } from '../server/long.ts'
import { ROOT, type RunningServer, startServer } from './product.ts'

const SITE = `
- hosts: all
  gather_facts: false
  tasks:
    - name: Write the file
      ansible.builtin.copy: {content: "v=1\\n", dest: /etc/app/app.conf, mode: "0644"}
`

// From an edit on a server to the event in a browser, with everything real. The steps follow one another.
describe('gitops-status watch', { timeout: 300_000 }, () => {
  let lab: Lab
  let web1: LabServer
  let server: RunningServer
  let repository: ReturnType<typeof makeRepository>
  let state: string
  let watch: ChildProcess
  let said = ''
  const events = followEvents()

  before(async () => {
    ;[lab, server] = await Promise.all([startLab({ servers: ['web1', 'web2'] }), startServer()])
    web1 = lab.server('web1')
    for (const { run } of lab.servers)
      await run('mkdir /etc/app; echo v=1 >/etc/app/app.conf; chmod 644 /etc/app/app.conf')
    repository = makeRepository({ 'site.yml': SITE, hosts: 'web1\nweb2\n' })
    state = mkdtempSync(join(tmpdir(), 'gitops-status-watch-'))
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'x')
    await events.open(server.url)
    watch = start()
  })
  after(async () => {
    events.close()
    if (watch?.exitCode === null && watch.signalCode === null) {
      watch.kill('SIGKILL')
      await once(watch, 'exit')
    }
    repository?.[Symbol.dispose]()
    if (state) rmSync(state, { recursive: true })
    await server?.[Symbol.asyncDispose]()
    await lab?.stop()
  })

  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: repository.directory })

  function start(): ChildProcess {
    const args = ['watch', '--playbook', 'site.yml', '--inventory', 'hosts']
    const child = spawn(join(ROOT, 'bin/gitops-status'), args, {
      cwd: repository.directory,
      env: {
        PATH: process.env.PATH,
        HOME: state,
        GITOPS_STATUS_SERVER_URL: server.url,
        GITOPS_STATUS_STATE_DIR: join(state, 'baselines'),
        REPO_NAME: 'app',
        SSH_PRIVATE_KEY: lab.privateKey,
        SSH_KNOWN_HOSTS: lab.knownHosts,
        ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (process.env.SHOW) process.stderr.write(text)
      })
    }
    return child
  }

  it('certifies the servers, and watches them', async () => {
    for (const name of ['web1', 'web2'])
      await events.until(name, ({ sync_status, watched }) => sync_status === 'SYNCED' && watched === 1)
    assert.equal((await agentsOn(web1)).length, 1)
  })

  it('tells of an edit at once, has Ansible explain it, and tells when it is undone', async () => {
    await web1.run('echo v=2 >/etc/app/app.conf')
    const first = await events.until('web1', ({ sync_status }) => sync_status === 'OUT_OF_SYNC')
    assert.equal(first.drifted_files, 'app/app.conf')
    assert.equal(first.cause, 'SERVER_CHANGED')
    const target = async () => (await fetch(`${server.url}/api/v1/targets/app/web1`)).json() as Promise<Row>
    assert.equal((await target()).check.method, 'fast')
    const confirmed = await events.until('web1', ({ drift_id }) => drift_id !== first.drift_id)
    assert.equal(confirmed.sync_status, 'OUT_OF_SYNC')
    assert.ok((await target()).files[0].expected.sha256)

    await web1.run('echo v=1 >/etc/app/app.conf')
    await events.until('web1', ({ sync_status }) => sync_status === 'SYNCED')
  })

  it('says UNKNOWN of a server that has gone, and SYNCED when it is back', async () => {
    await web1.refuse()
    const gone = await events.until('web1', ({ sync_status }) => sync_status === 'UNKNOWN')
    assert.match(gone.error_code, /unreachable|connection_lost/)
    await web1.resume()
    await events.until('web1', ({ sync_status }) => sync_status === 'SYNCED')
  })

  itTakesLong('is connected again after a reboot, and sees what was changed meanwhile', async () => {
    await web1.refuse()
    await web1.run('echo v=3 >/etc/app/app.conf')
    await web1.reboot()
    await events.until('web1', ({ sync_status }) => sync_status === 'OUT_OF_SYNC')
    await web1.run('echo v=1 >/etc/app/app.conf')
    await events.until('web1', ({ sync_status }) => sync_status === 'SYNCED')
  })

  itTakesLong('looks again after it was suspended, and says nothing from before', async () => {
    watch.kill('SIGSTOP')
    await web1.run('echo v=4 >/etc/app/app.conf')
    await delay(20_000)
    watch.kill('SIGCONT')
    await events.until('web1', ({ sync_status }) => sync_status === 'OUT_OF_SYNC')
    await web1.run('echo v=1 >/etc/app/app.conf')
    await events.until('web1', ({ sync_status }) => sync_status === 'SYNCED')
  })

  itTakesLong('checks fully after a commit, and watches a server that joins the inventory', async () => {
    writeFileSync(join(repository.directory, 'site.yml'), SITE.replace('v=1', 'v=2'))
    git('commit', '-qam', 'x')
    for (const name of ['web1', 'web2']) await events.until(name, ({ cause }) => cause === 'PENDING_DEPLOY')
    writeFileSync(join(repository.directory, 'site.yml'), SITE)
    writeFileSync(join(repository.directory, 'hosts'), 'web1\n')
    git('commit', '-qam', 'x')
    await events.until('web1', ({ sync_status }) => sync_status === 'SYNCED')
    assert.match(said, /web2 left the inventory/)
    writeFileSync(join(repository.directory, 'hosts'), 'web1\nweb2\n')
    git('commit', '-qam', 'x')
    for (const name of ['web2', 'web1'])
      await events.until(name, ({ sync_status, watched }) => sync_status === 'SYNCED' && watched === 1)
  })

  it('leaves nothing on a server when it is killed', async () => {
    assert.equal((await agentsOn(web1)).length, 1)
    watch.kill('SIGKILL')
    const until = performance.now() + 2_000
    while ((await agentsOn(web1)).length > 0 && performance.now() < until) await delay(20)
    assert.deepEqual(await agentsOn(web1), [])
  })

  it('goes on where it was, and ends when it is told to', async () => {
    said = ''
    watch = start()
    while (!said.includes('web1: SYNCED')) await once(watch.stdout ?? watch, 'data')
    const began = performance.now()
    watch.kill('SIGTERM')
    const [code] = await once(watch, 'exit')
    assert.equal(code, 0)
    assert.ok(performance.now() - began < 2_000)
    assert.deepEqual(await agentsOn(web1), [])
  })
})

async function agentsOn(server: LabServer): Promise<string[]> {
  const { stdout } = await server.run(
    `grep -lz 'io[.]BufferedReader(io.FileIO' /proc/[0-9]*/cmdline | while IFS= read -r file; do
       file=\${file%/cmdline}; read -r name <$file/comm; case $name in python*) echo "\${file#/proc/}";; esac; done`,
  )
  return stdout.split('\n').filter(Boolean)
}

// biome-ignore lint/suspicious/noExplicitAny: rows as the server sent them
type Row = any

/** The rows of the server's event stream as they come. */
function followEvents() {
  const abort = new AbortController()
  let rows: Row[] = []
  let heard = () => {}
  return {
    async open(url: string) {
      const response = await fetch(`${url}/api/v1/events`, { signal: abort.signal })
      const read = createEventReader()
      void (async () => {
        const decoder = new TextDecoder()
        for await (const chunk of response.body ?? []) {
          for (const { event, data } of read(decoder.decode(chunk, { stream: true }))) {
            if (event === 'target') rows.push(data)
          }
          heard()
        }
      })().catch(() => {})
    },
    /** The next row of a server that is so; those of it before are forgotten. */
    async until(server: string, isWanted: (row: Row) => boolean): Promise<Row> {
      for (;;) {
        const at = rows.findIndex((row) => row.server === server && isWanted(row))
        if (at >= 0) {
          const found = rows[at]
          rows = rows.filter((row, index) => row.server !== server || index > at)
          return found
        }
        await new Promise<void>((resolve) => {
          heard = resolve
        })
      }
    },
    close: () => abort.abort(),
  }
}
