import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { type LabServer, startLab, startLabServer } from './lab-server.ts'

describe('a lab server', () => {
  it("keeps its changes to itself and this machine's files as they were", async () => {
    const before = faceOf('/etc')
    await using server = await startLabServer({ name: 'web-1' })

    // Harmless, should it ever reach this machine.
    await server.run('echo "# lab" >>/etc/profile; mkdir /etc/lab; echo x >/usr/local/lab; echo x >/var/lab')

    assert.match(String(await server.readFile('/etc/profile')), /# lab\n$/)
    // An ordinary user's server cannot write there at all.
    if (server.canChown) assert.equal((await server.run('cat /usr/local/lab /var/lab')).stdout, 'x\nx\n')
    assert.equal(faceOf('/etc'), before)
    assert.deepEqual(['/usr/local/lab', '/var/lab'].filter(existsSync), [])
    assert.notEqual(readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(), 'web-1')
  })

  it('cannot write to what is neither its own nor in memory', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    const { stderr } = await server.run('touch /; file=/proc/sys/vm/swappiness; value=$(cat $file); echo $value >$file')

    assert.match(stderr, /touch: .*Read-only file system\n.*swappiness: (Read-only file system|Permission denied)/)
  })

  it('shows nothing of the people of this machine and none of its services', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    const people = await server.run('ls -A /root /home /tmp /etc/profile.d /etc/motd /etc/ssh/ssh_host_*')
    const services = await server.run('ls -A /run; ls /dev')

    assert.equal(people.stdout, '/etc/profile.d:\n\n/home:\n\n/root:\n\n/tmp:\n')
    const ours = 'boot_id sshd fd full null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' ')
    const others = services.stdout.split('\n').filter((name) => name !== '' && !ours.includes(name))
    assert.deepEqual(others, [])
  })

  it('lets in whoever holds the key, as root, by ssh', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    const login = await ssh(server, 'id -un; hostname; pwd')

    assert.deepEqual(login, { code: 0, stdout: 'root\nweb-1\n/root\n', stderr: '' })
  })

  it('lets in only an agent that holds the key where the configuration names none', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })
    const config = server.sshConfigForAgent
    const agent = await startAgent(t)

    const without = await ssh(server, 'id -un', { config, agent })
    await execute('ssh-add', ['-q', '-'], { input: server.privateKey, env: { SSH_AUTH_SOCK: agent } })
    const withKey = await ssh(server, 'id -un', { config, agent })

    assert.match(without.stderr, /Permission denied/)
    assert.equal(withKey.stdout, 'root\n')
  })

  it('is refused by ssh once its host key is another one', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })

    const knownHosts = await server.changeHostKey()

    const refused = await ssh(server, 'true')
    assert.equal(refused.code, 255)
    assert.match(refused.stderr, /Host key verification failed/)
    const file = join(temporaryDirectory(t), 'known_hosts')
    writeFileSync(file, knownHosts)
    assert.equal((await ssh(server, 'true', { options: ['-o', `UserKnownHostsFile=${file}`] })).code, 0)
  })

  it('makes ssh wait in vain while it is paused, and answers when resumed', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    await server.pause()
    const hanging = await ssh(server, 'true', { options: ['-o', 'ConnectTimeout=1'] })
    await server.resume()

    assert.match(hanging.stderr, /timed out/)
    assert.equal((await ssh(server, 'true')).code, 0)
  })

  it('makes ssh fail at once while it refuses, and answers when resumed', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    await server.refuse()
    const refused = await ssh(server, 'true')
    await server.resume()

    assert.match(refused.stderr, /Connection refused/)
    assert.equal((await ssh(server, 'true')).code, 0)
  })

  it('ends running sessions when it refuses', async () => {
    await using server = await startLabServer({ name: 'web-1' })
    const session = spawn('ssh', ['-F', server.sshConfig, server.name, 'echo in; sleep 1000'])
    const ended = endOf(session)
    await once(session.stdout, 'data')

    await server.refuse()

    assert.deepEqual(await ended, [255, null])
  })

  it('keeps its /etc over a reboot, but neither /tmp nor its boot id', async () => {
    await using server = await startLabServer({ name: 'web-1' })
    const bootId = () => server.run('cat /proc/sys/kernel/random/boot_id')
    await server.run('echo x >/etc/kept; echo x >/tmp/lost')
    const before = await bootId()

    await server.reboot()

    assert.deepEqual(await server.run('cat /etc/kept; ls -A /tmp'), { code: 0, stdout: 'x\n', stderr: '' })
    assert.notEqual((await bootId()).stdout, before.stdout)
    assert.notEqual(before.stdout, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
    assert.equal((await ssh(server, 'true')).code, 0)
  })

  it('takes file names of any bytes as data', async () => {
    await using server = await startLabServer({ name: 'web-1' })
    const names = [
      ' spaces, commas ',
      `quotes ' " \` \\`,
      '$(touch x)',
      'DRIFTED_FILES=',
      '-rf',
      'line\nbreak\n',
      '\x1b[31mred',
      Buffer.from('latin \xe9, broken \xff\xfe', 'latin1'),
    ].map((name) => Buffer.from(name))
    const paths = names.map((name) => Buffer.concat([Buffer.from('/etc/hostile/'), name]))
    await server.run('mkdir /etc/hostile')

    for (const path of paths) await server.writeFile(path, path)

    for (const path of paths) assert.deepEqual(await server.readFile(path), path)
    const listing = await server.run('cd /etc/hostile; for name in *; do printf "%s\\0" "$name"; done | base64 -w0')
    const found = Buffer.from(listing.stdout, 'base64').toString('latin1').split('\0').slice(0, -1)
    assert.deepEqual(found.sort(), names.map((name) => name.toString('latin1')).sort())
    assert.equal((await server.run('ls -A /root')).stdout, '')
  })

  it('tells how a command ended, and takes input that the command never reads', async () => {
    await using server = await startLabServer({ name: 'web-1' })

    const input = 'x'.repeat(1_000_000)
    assert.deepEqual(await server.run('echo out; echo err >&2; exit 3', { input }), {
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    assert.equal((await server.run('kill -TERM $$')).code, 143)
    assert.equal((await server.run('wc -c', { input })).stdout, '1000000\n')
  })

  it('leaves nothing behind when it stops', async () => {
    const server = await startLabServer({ name: 'web-1' })
    const traces = tracesOf(server)
    assert.ok(traces().length > 3)

    await server.stop()

    assert.deepEqual(traces(), [])
  })

  it('ends with its one process, sessions and daemons included', async () => {
    await using server = await startLabServer({ name: 'web-1' })
    await server.run('setsid sleep 1000 </dev/null >/dev/null 2>&1 &')
    const traces = tracesOf(server)
    assert.ok(traces().length > 4)

    process.kill(server.pid, 'SIGKILL')

    await eventually(() => assert.deepEqual(traces(), [dirname(server.sshConfig)]))
  })
})

describe('a lab', () => {
  it('starts ten servers at once, which see nothing of each other', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `web-${index}`)
    await using lab = await startLab({ servers: names })

    await Promise.all(
      lab.servers.map((server) =>
        server.run(`for dir in /etc /tmp /root /run /dev; do touch $dir/of-${server.name}; done`),
      ),
    )

    for (const server of lab.servers) {
      const { stdout } = await server.run('ls -d /*/of-* | wc -l; ls -d /*/of-$(hostname) | wc -l; hostname')
      assert.equal(stdout, `5\n5\n${server.name}\n`)
    }
  })

  it('has one configuration and one key for all of its servers', async () => {
    await using lab = await startLab({ servers: ['web-1', 'web-2'] })

    for (const name of ['web-1', 'web-2']) {
      assert.equal(lab.server(name).sshConfig, lab.sshConfig)
      assert.equal((await ssh(lab.server(name), 'hostname')).stdout, `${name}\n`)
    }
    assert.throws(() => lab.server('web-3'), /no server web-3, only web-1, web-2/)
  })

  it('leaves nothing behind when the process that started it is killed', async (t) => {
    const { child, started } = await startInAnotherProcess(t, SAME_USER)
    const traces = tracesOf(started)
    assert.ok(traces().length > 3)

    child.kill('SIGKILL')

    await eventually(() => assert.deepEqual(traces(), []))
  })

  it('is gone as well when the process that started it ends without stopping it', async (t) => {
    const { child, started } = await startInAnotherProcess(t, SAME_USER)
    const traces = tracesOf(started)

    child.stdin.end()

    assert.deepEqual(await endOf(child), [0, null])
    await eventually(() => assert.deepEqual(traces(), []))
  })

  it('takes no directory that is there already, and leaves it as it is', async (t) => {
    const directory = temporaryDirectory(t)
    writeFileSync(join(directory, 'mine'), '')

    await assert.rejects(startLab({ servers: ['web-1'], directory }), /EEXIST/)

    assert.deepEqual(readdirSync(directory), ['mine'])
  })

  it('takes no name that ssh could read as something else', async () => {
    for (const name of ['', '-F', 'a b', 'a\nProxyCommand x', '*']) {
      await assert.rejects(startLab({ servers: [name] }), /is not a host name/)
    }
  })
})

describe('a lab server of an ordinary user', { skip: isRoot() ? false : 'the tests above ran as one' }, () => {
  it('has root, ssh and an /etc of its own, but one owner for all of its files', async (t) => {
    const before = faceOf('/etc')
    const { child, started } = await startInAnotherProcess(t, ordinaryUser(t))
    const login = ['-F', started.sshConfig, 'web-1', 'id -un; hostname; echo x >/etc/lab; stat -c %U /etc/passwd']

    const session = await execute('ssh', login)
    const chown = await execute('ssh', ['-F', started.sshConfig, 'web-1', 'chown games /etc/lab'])
    child.stdin.end()

    assert.deepEqual(session, { code: 0, stdout: 'root\nweb-1\nroot\n', stderr: '' })
    assert.match(chown.stderr, /Invalid argument/)
    assert.equal(started.canChown, false)
    assert.equal(faceOf('/etc'), before)
  })

  it('is frozen, refuses, reboots and changes its key like any other', async (t) => {
    const { child } = await startInAnotherProcess(
      t,
      ordinaryUser(t),
      `await server.writeFile('/etc/kept', 'x')
       await server.pause()
       await server.resume()
       await server.refuse()
       await server.resume()
       await server.changeHostKey()
       await server.reboot()
       console.log(await server.run('cat /etc/kept'))`,
    )

    child.stdin.end()

    assert.deepEqual(await endOf(child), [0, null])
  })

  it('leaves nothing behind when the process that started it is killed', async (t) => {
    const { child, started } = await startInAnotherProcess(t, ordinaryUser(t))
    const traces = tracesOf(started)
    assert.ok(traces().length > 3)

    child.kill('SIGKILL')

    await eventually(() => assert.deepEqual(traces(), []))
  })
})

// A user that every Debian has, for nobody else's files may belong to it.
const ORDINARY_USER = 'games'

interface Started {
  readonly pid: number
  readonly sshConfig: string
  readonly canChown: boolean
}

interface Elsewhere {
  readonly command: readonly string[]
  readonly labServer: string
}

const SAME_USER: Elsewhere = {
  command: [process.execPath],
  labServer: new URL('lab-server.ts', import.meta.url).href,
}

/** Copies what the other user may not be able to read here. */
function ordinaryUser(t: TestContext): Elsewhere {
  const directory = temporaryDirectory(t)
  chmodSync(directory, 0o755)
  for (const part of ['test/lab', 'scripts']) {
    cpSync(new URL(`../../${part}`, import.meta.url), join(directory, part), { recursive: true })
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  const become = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups', '--']
  const canRead = spawnSync('setpriv', [...become.slice(1), 'test', '-x', process.execPath]).status === 0
  const node = canRead ? process.execPath : join(directory, 'node')
  if (!canRead) copyFileSync(process.execPath, node)
  spawnSync('chmod', ['-R', 'a+rX', directory])
  return { command: [...become, node], labServer: join(directory, 'test/lab/lab-server.ts') }
}

/** Holds a server until its standard input closes; `then` is what it does with it before. */
async function startInAnotherProcess(
  t: TestContext,
  { command: [command = '', ...args], labServer }: Elsewhere,
  then = '',
) {
  const program = `
    const { startLabServer } = await import(${JSON.stringify(labServer)})
    const server = await startLabServer({ name: 'web-1' })
    const { pid, sshConfig, canChown } = server
    console.log(JSON.stringify({ pid, sshConfig, canChown }))
    ${then}
    process.stdin.resume()`
  const child = spawn(command, [...args, '--input-type=module', '--eval', program], {
    cwd: '/',
    env: { PATH: process.env.PATH, TMPDIR: tmpdir() },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const started: Started = JSON.parse(line)
  return { child, started }
}

/** What is there now of a server: its processes, whoever else is in its mounts, its files. */
function tracesOf({ pid, sshConfig }: Pick<LabServer, 'pid' | 'sshConfig'>) {
  const namespaces = new Set(familyOf(pid).map(mountsOf))
  for (const foreign of [mountsOf(process.pid), undefined]) namespaces.delete(foreign)
  const directory = dirname(sshConfig)
  return () => [
    ...readdirSync('/proc')
      .map(Number)
      .filter((other) => other === pid || namespaces.has(mountsOf(other)))
      .filter(isAlive),
    ...(existsSync(directory) ? [directory] : []),
  ]
}

function familyOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(familyOf)]
}

function mountsOf(pid: number) {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return undefined
  }
}

/** A zombie has given everything back; when it is cleared away is its parent's affair. */
function isAlive(pid: number) {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Every file with its size, times, owner and mode: what a change would have to change. */
function faceOf(directory: string) {
  return spawnSync('find', [directory, '-printf', '%p %s %T@ %C@ %u %g %m\n'], { encoding: 'utf8' }).stdout
}

interface SshOptions {
  readonly config?: string
  readonly agent?: string
  readonly options?: readonly string[]
}

function ssh(server: LabServer, command: string, { config = server.sshConfig, agent, options = [] }: SshOptions = {}) {
  const env = agent === undefined ? {} : { SSH_AUTH_SOCK: agent }
  return execute('ssh', ['-F', config, ...options, server.name, command], { env })
}

async function startAgent(t: TestContext) {
  const socket = join(temporaryDirectory(t), 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  t.after(() => agent.kill())
  await eventually(() => assert.ok(existsSync(socket)))
  return socket
}

function temporaryDirectory(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-test-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

async function execute(
  command: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.end(input)
  const [code]: (number | null)[] = await once(child, 'close')
  return { code, stdout, stderr }
}

function endOf(child: ChildProcess) {
  return once(child, 'exit', { signal: AbortSignal.timeout(5000) })
}

async function eventually(check: () => void) {
  const deadline = Date.now() + 5000
  for (;;) {
    try {
      return check()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await pass(10)
    }
  }
}

function isRoot() {
  return process.getuid?.() === 0
}
