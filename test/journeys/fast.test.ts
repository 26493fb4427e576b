import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { recordedDeploys } from '../../src/drift/baseline/deploys.ts'
import { type Lab, startLab } from '../lab/lab-server.ts'
import { keepLog, logIn } from '../lab/logins.ts'
import { makeRepository, runGitopsStatus } from '../reporter/check-run.ts'
import { itTakesLong } from '../server/long.ts'
import { ROOT, startServer } from './product.ts'

const site = (version: number) => `
- hosts: all
  gather_facts: false
  tasks:
    - name: Write the file
      ansible.builtin.copy: {content: "v=${version}\\n", dest: /etc/app.conf, mode: "0644"}
`

// A certified baseline from its beginning to its end, on real servers with real Ansible. The steps follow one another.
describe('gitops-status check --fast', { timeout: 600_000 }, () => {
  let lab: Lab
  let outside: string
  /** The server of which there is a baseline at the end. */
  let certified = ''
  let repository: ReturnType<typeof makeRepository>
  /** Where servers can have accounts, who changes a file is named by the log of an sshd that we use as well. */
  let namesPeople = false
  before(async () => {
    lab = await startLab({ servers: ['web1', 'web2'] })
    await Promise.all(lab.servers.map((server) => server.run('echo v=1 >/etc/app.conf; chmod 644 /etc/app.conf')))
    namesPeople = lab.servers.every(({ canChown }) => canChown)
    if (namesPeople) await Promise.all(lab.servers.map((server) => keepLog(server)))
    const hosts = lab.servers.map(({ name, port }) => `${name} ansible_port=${port + (namesPeople ? 1 : 0)}\n`)
    repository = makeRepository({ 'site.yml': site(1), hosts: hosts.join('') })
    outside = mkdtempSync(join(tmpdir(), 'gitops-status-fast-'))
    // Counts the runs of Ansible: that there is none is what makes a check fast.
    mkdirSync(join(outside, 'bin'))
    const real = execFileSync('sh', ['-c', 'command -v ansible-playbook'], { encoding: 'utf8' }).trim()
    const counting = `#!/bin/sh\necho "$*" >>"${outside}/runs"\nexec ${real} "$@"\n`
    writeFileSync(join(outside, 'bin/ansible-playbook'), counting, { mode: 0o755 })
    writeFileSync(join(outside, 'runs'), '')
    writeFileSync(join(outside, 'known_hosts'), knownHosts())
    git('init', '-q')
    commit()
  })
  after(async () => {
    repository?.[Symbol.dispose]()
    if (outside) rmSync(outside, { recursive: true })
    await lab?.stop()
  })

  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: repository.directory })
  function commit(version?: number) {
    if (version !== undefined) writeFileSync(join(repository.directory, 'site.yml'), site(version))
    git('add', '-A')
    git('commit', '-qm', 'x')
  }
  const knownHosts = () =>
    lab.servers
      .map((server) => server.knownHosts + server.knownHosts.replaceAll(`:${server.port} `, `:${server.port + 1} `))
      .join('')
  const state = () => join(outside, 'state')
  const env = () => ({
    PATH: `${outside}/bin:${process.env.PATH}`,
    HOME: outside,
    SSH_PRIVATE_KEY: lab.privateKey,
    SSH_KNOWN_HOSTS: knownHosts(),
    ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfigForAgent}`,
    GITOPS_STATUS_STATE_DIR: state(),
    ...(certified !== '' && { SERVER_NAME: certified }),
  })
  const check = () => run('check')
  async function run(command: 'check' | 'report', more: Record<string, string> = {}) {
    writeFileSync(join(outside, 'runs'), '')
    const { code, stdout, stderr } = await runGitopsStatus({
      directory: repository.directory,
      args: [command, '--fast', '--playbook', 'site.yml', '--inventory', 'hosts'],
      env: { ...env(), ...more },
    })
    const runs = readFileSync(join(outside, 'runs'), 'utf8').split('\n').filter(Boolean)
    const said = stdout.split('\n').filter((line) => /^( |web)/.test(line))
    // Ages differ from run to run.
    return { code, runs, stdout, stderr, said: said.map((line) => line.replace(/\d+ (s|min) ago/, 'N ago')) }
  }
  const limits = (runs: readonly string[]) => runs.map((run) => / --limit (\S+)/.exec(run)?.[1] ?? 'all')
  const write = (text: string) => `echo ${text} >/etc/app.conf`
  /** With two the second one writes, while the first one is there. */
  async function edit(name: string, text: string, [who, other]: readonly [string, string?]) {
    const server = lab.server(name)
    if (!namesPeople) return void (await server.run(write(text)))
    // Of a process that has gone when journald reads its line the line is nobody's.
    const script = `${write(text)}; journalctl --sync`
    if (other === undefined) return logIn(server, who, `su -c '${script}'`)
    const until = (name: string) => `until [ -e /run/${name} ]; do sleep 0.02; done`
    await Promise.all([
      logIn(server, who, `su -c 'touch /run/there; ${until('done')}'`),
      logIn(server, other, `su -c '${until('there')}; ${script}; sleep 0.1; touch /run/done'`),
    ])
  }

  it('learns on the first run, and certifies on the second', async () => {
    const first = await check()
    assert.deepEqual(
      first.said,
      ['web1', 'web2'].map(
        (host) => `${host}: SYNCED  (full check, not certified: there was no look before the check)`,
      ),
      first.stderr,
    )
    const second = await check()
    assert.deepEqual(
      second.said,
      ['web1', 'web2'].map((host) => `${host}: SYNCED  (full check, 1 of 1 tasks watched)`),
    )
    assert.deepEqual([first.runs.length, second.runs.length], [1, 1])
  })

  it('then needs no Ansible', async () => {
    const { code, runs, said, stderr } = await check()
    assert.deepEqual(
      said,
      ['web1', 'web2'].map((host) => `${host}: SYNCED  (fast, 1 of 1 tasks watched, full check N ago)`),
    )
    assert.deepEqual([code, runs.length, stderr], [0, 0, ''])
  })

  it('sees an edit at once, and has Ansible explain it, of that server alone, and says who it was', async () => {
    await using server = await startServer()
    let name = ''
    let { said, runs }: Pick<Awaited<ReturnType<typeof run>>, 'said' | 'runs'> = { said: [], runs: [] }
    // On a busy machine a line of the log, or the end of the session, may be nobody's: then nobody is named, or with less
    // confidence.
    for (let tries = 0; tries < 3 && name === ''; tries++) {
      await edit('web1', `v=9${tries}`, ['alice'])
      ;({ said, runs } = await run('report', { GITOPS_STATUS_SERVER_URL: server.url, REPO_NAME: 'apps' }))
      name = /(alice \(su, (?:medium|low)\))/.exec(said.join())?.[1] ?? ''
      if (!namesPeople) break
    }
    assert.equal(name !== '', namesPeople, said.join())
    const who = namesPeople ? `, by ${name}` : ''
    assert.deepEqual(said, [
      'web1: OUT_OF_SYNC  (full check)',
      `    ~ /etc/app.conf (changed on the server${who})`,
      'web2: SYNCED  (fast, 1 of 1 tasks watched, full check N ago)',
    ])
    assert.deepEqual(limits(runs), ['web1'])
    if (!namesPeople) return
    const { files, items } = await server.statusJson('?server=web1')
    assert.deepEqual([files[0]?.modified_by, items[0]?.modified_by], [name, name])
    const page = await fetch(`${server.url}/api/v1/targets/apps/web1`)
    assert.ok((await page.text()).includes(`"modified_by":"${name}"`))
  })

  it('tells a commit that waits for its deploy from an edit, and from both; nobody is named where two were there', async () => {
    await edit('web1', 'v=8', ['alice', 'bob'])
    commit(2)
    const { said, stderr } = await check()
    assert.deepEqual(said, [
      'web1: OUT_OF_SYNC  (full check)',
      '    ~ /etc/app.conf (changed on the server and in Git)',
      'web2: OUT_OF_SYNC  (full check)',
      '    ~ /etc/app.conf (waiting for deploy)',
    ])
    assert.equal(stderr, 'web1, web2: its baseline is void: there is another commit\n')
  })

  it('certifies what was deployed, and takes nothing from a baseline that somebody has changed', async () => {
    execFileSync('ansible-playbook', ['-i', 'hosts', 'site.yml'], {
      cwd: repository.directory,
      env: {
        ...env(),
        ANSIBLE_SSH_COMMON_ARGS: `-F ${lab.sshConfig} -o ControlMaster=no -o ControlPath=none -o UserKnownHostsFile=${outside}/known_hosts`,
        ANSIBLE_CALLBACK_PLUGINS: join(ROOT, 'ansible/callback_plugins'),
      },
      stdio: 'pipe',
    })
    const [tampered = ''] = readdirSync(join(state(), 'baselines')).map((name) => join(state(), 'baselines', name))
    writeFileSync(tampered, readFileSync(tampered, 'utf8').replace('"watchedCount":1', '"watchedCount":2'))

    const { said, stderr } = await check()
    const isVoid = /^(web\d): its baseline is void: its seal does not fit/m.exec(stderr)
    certified = isVoid?.[1] === 'web1' ? 'web2' : 'web1'
    const other = certified === 'web1' ? 'web2' : 'web1'
    assert.deepEqual(
      said.toSorted(),
      [
        `${certified}: SYNCED  (full check, 1 of 1 tasks watched)`,
        `${other}: SYNCED  (full check, not certified: there was no look before the check)`,
      ].toSorted(),
    )
  })

  it('recorded the deploy of each path, and its commit', () => {
    const records = readdirSync(join(state(), 'deploys')).map((name) =>
      readFileSync(join(state(), 'deploys', name), 'utf8'),
    )
    assert.equal(records.length, 2)
    for (const record of records) {
      const { commit: deployed, paths } = JSON.parse(record)
      assert.equal(deployed, git('rev-parse', 'HEAD').toString().trim())
      assert.deepEqual(paths, [Buffer.from('/etc/app.conf').toString('base64')])
    }
    const commitNow = git('rev-parse', 'HEAD').toString().trim()
    for (const host of ['web1', 'web2']) {
      const deployOf = recordedDeploys(state(), {
        repository: realpathSync(repository.directory),
        host,
        commit: commitNow,
      })
      assert.equal(deployOf(Buffer.from('/etc/app.conf').toString('base64'), new Date(0)), 'current')
    }
  })

  it('says UNKNOWN of a server that refuses, and waits for no Ansible', async () => {
    await lab.server(certified).refuse()
    const { code, said, runs } = await check()
    assert.equal(code, 1)
    assert.match(said.join('\n'), new RegExp(`^${certified}: UNKNOWN {2}\\(fast\\)\n {4}unreachable: `))
    assert.deepEqual(runs, [])
  })

  itTakesLong('says UNKNOWN of a server that hangs', async () => {
    await lab.server(certified).resume()
    await lab.server(certified).pause()
    const { said, runs } = await check()
    assert.match(said.join('\n'), /UNKNOWN {2}\(fast\)\n {4}(timeout|unreachable): /)
    assert.deepEqual(runs, [])
  })
})
