import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { installTools } from '../../scripts/install-tools.ts'
import { makePrivateDirectory } from './private-directory.ts'

/**
 * One plain Linux server: a real sshd on a loopback address of its own, with its own keys,
 * an empty /root, /tmp, /run and /home, and an /etc, /usr, /var, /opt and /srv that begin
 * as this machine's and whose changes are kept in memory. Nothing it does reaches the
 * files, processes, host name or services of this machine; the network is shared.
 *
 * States: running; paused (connections hang); refusing (nobody listens); stopped for good.
 */
export interface LabServer extends AsyncDisposable {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Ending this one process ends all of the server. */
  readonly pid: number
  /** The private key that may log in as root, as text. */
  readonly privateKey: string
  /** The lines of a known_hosts file. They stay as they are when the host key changes. */
  readonly knownHosts: string
  /** A file for `ssh -F FILE name` that names the private key. */
  readonly sshConfig: string
  /** The same without a key: only one held by an ssh-agent lets you in. */
  readonly sshConfigForAgent: string
  /** Without root on this machine, the server's files can belong to its root only. */
  readonly canChown: boolean
  /**
   * Runs a command with /bin/sh as the server's root, without ssh. `args` become "$1", "$2", …;
   * a Buffer there may hold any bytes but NUL.
   */
  run(command: string, options?: RunOptions): Promise<RunResult>
  readFile(path: string | Buffer): Promise<Buffer>
  /** Replaces the content of the file and keeps its owner and mode. */
  writeFile(path: string | Buffer, content: string | Buffer): Promise<void>
  /** Freezes sshd and its sessions: new connections are accepted and never answered. */
  pause(): Promise<void>
  /** Ends sshd and its sessions: new connections are refused. */
  refuse(): Promise<void>
  /** Running again, after `pause` as well as after `refuse`. */
  resume(): Promise<void>
  /** As if the server had been set up anew. Returns its new known_hosts line. */
  changeHostKey(): Promise<string>
  /** Ends every process, forgets /run and /tmp, takes a new boot id, and starts sshd again. */
  reboot(): Promise<void>
  stop(): Promise<void>
}

export interface RunOptions {
  readonly args?: readonly (string | Buffer)[]
  readonly input?: string | Buffer
}

export interface RunResult {
  /** As the shell shows it: 128 + n after signal n. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Several servers that share one client key. */
export interface Lab extends AsyncDisposable {
  readonly servers: readonly LabServer[]
  readonly privateKey: string
  readonly knownHosts: string
  readonly sshConfig: string
  readonly sshConfigForAgent: string
  server(name: string): LabServer
  stop(): Promise<void>
}

export interface LabOptions {
  /** Where keys and ssh configuration go; it must not exist yet, and is removed at the end. */
  readonly directory?: string
}

export async function startLabServer({ name, directory }: LabOptions & { readonly name: string }): Promise<LabServer> {
  const lab = await startLab({ servers: [name], ...(directory !== undefined && { directory }) })
  const server = lab.server(name)
  return { ...server, stop: lab.stop, [Symbol.asyncDispose]: lab.stop }
}

export async function startLab({
  servers: names,
  directory: path,
}: LabOptions & { readonly servers: readonly string[] }): Promise<Lab> {
  for (const name of names) checkName(name)
  installTools('lab')
  const directory = makePrivateDirectory(path)
  const running: Running[] = []
  async function stop() {
    await Promise.all(running.map((server) => server.stop()))
    await directory.remove()
  }

  try {
    const key = await makeClientKey(directory.path)
    const boots = await Promise.allSettled(
      names.map(async (name) => running.push(await bootServer(name, key.publicKey))),
    )
    for (const boot of boots) if (boot.status === 'rejected') throw boot.reason
    const inOrder = names.flatMap((name) => running.filter((server) => server.name === name))
    const { sshConfig, sshConfigForAgent, knownHosts } = await writeSshFiles(directory.path, key.file, inOrder)
    const shared = { privateKey: key.privateKey, sshConfig, sshConfigForAgent }
    const servers = inOrder.map(({ firstKnownHosts, ...server }): LabServer => {
      return { ...server, ...shared, knownHosts: firstKnownHosts, [Symbol.asyncDispose]: server.stop }
    })
    return {
      ...shared,
      servers,
      knownHosts,
      server(name) {
        const found = servers.find((server) => server.name === name)
        if (!found) throw new Error(`the lab has no server ${name}, only ${names.join(', ')}`)
        return found
      },
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A server before it is told which files of the lab belong to it. */
type Running = Omit<LabServer, 'knownHosts' | 'privateKey' | 'sshConfig' | 'sshConfigForAgent' | symbol> & {
  readonly firstKnownHosts: string
}

const BOOT_SCRIPT = readFileSync(new URL('boot.sh', import.meta.url), 'utf8')

// What comes from this machine's own environment stays out of the server.
const SERVER_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
}

async function bootServer(name: string, publicKey: string): Promise<Running> {
  const isRoot = process.getuid?.() === 0
  const machine = await unshare(isRoot, name, publicKey)
  const sshdSide = isRoot
    ? enter(machine.init, '--uts', '--ipc')
    : enter(machine.init, '--user', '--preserve-credentials')
  const serverSide = isRoot ? sshdSide : [...sshdSide, ...INTO_THE_SERVER]

  async function stage(side: readonly string[], ...args: readonly string[]) {
    const result = await execute([...side, '/bin/sh', '-c', BOOT_SCRIPT, 'boot.sh', ...args])
    if (result.code !== 0) throw new Error(`lab server ${name}: ${args[0]} failed: ${result.stderr.toString().trim()}`)
    return result.stdout.toString().trim()
  }
  async function makeHostKey(host: string, port: number) {
    return `${name},[${host}]:${port} ${await stage(sshdSide, 'new-host-key')}\n`
  }
  async function runBytes(command: string, { args = [], input = '' }: RunOptions = {}) {
    const script = Buffer.concat([
      Buffer.from('set --'),
      ...args.flatMap((arg) => [Buffer.from(' '), quote(arg)]),
      Buffer.from(`\n${command}\n`),
    ])
    // Arguments of a process are text for Node, so the script takes another way in.
    return execute([...serverSide, '/bin/sh', '-c', 'cd /root; eval "$(cat <&3)" 3<&-'], { input, script })
  }
  async function mustRun(command: string, options: RunOptions) {
    const { code, stdout, stderr } = await runBytes(command, options)
    if (code !== 0) throw new Error(`lab server ${name}: ${stderr.toString().trim()}`)
    return stdout
  }
  async function endSshd() {
    await stage(sshdSide, 'signal', 'KILL')
  }

  try {
    const { host, port } = await freeLoopbackAddress()
    const firstKnownHosts = await makeHostKey(host, port)
    const startSshd = async () => void (await stage(sshdSide, 'start', host, String(port)))
    await startSshd()
    let refusing = false
    return {
      name,
      host,
      port,
      pid: machine.pid,
      firstKnownHosts,
      canChown: isRoot,
      async run(command, options) {
        const { code, stdout, stderr } = await runBytes(command, options)
        return { code, stdout: stdout.toString(), stderr: stderr.toString() }
      },
      readFile: (path) => mustRun('cat -- "$1"', { args: [path] }),
      async writeFile(path, content) {
        await mustRun('cat >"$1"', { args: [path], input: content })
      },
      async pause() {
        await stage(sshdSide, 'signal', 'STOP')
      },
      async refuse() {
        await endSshd()
        refusing = true
      },
      async resume() {
        if (refusing) await startSshd()
        else await stage(sshdSide, 'signal', 'CONT')
        refusing = false
      },
      async changeHostKey() {
        await endSshd()
        const knownHosts = await makeHostKey(host, port)
        await startSshd()
        refusing = false
        return knownHosts
      },
      async reboot() {
        await endSshd()
        await stage(serverSide, 'reboot')
        await startSshd()
        refusing = false
      },
      stop: machine.stop,
    }
  } catch (error) {
    await machine.stop()
    throw error
  }
}

interface Machine {
  /** Whose end is the server's end. */
  readonly pid: number
  /** Process 1 of the server's namespaces, as this machine counts it. */
  readonly init: number
  stop(): Promise<void>
}

async function unshare(isRoot: boolean, name: string, publicKey: string): Promise<Machine> {
  const namespaces = isRoot
    ? ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child']
    : ['--user', '--map-root-user', '--mount']
  const stageArgs = isRoot
    ? ['as-root', name, publicKey]
    : ['as-user', name, publicKey, String(process.getuid?.()), String(process.getgid?.())]
  // A session of its own keeps Ctrl-C from ending the server before we do.
  const child = spawn('unshare', [...namespaces, '/bin/sh', '-c', BOOT_SCRIPT, 'boot.sh', ...stageArgs], {
    cwd: '/',
    detached: true,
    env: { ...SERVER_ENV, LAB_SCRIPT: BOOT_SCRIPT },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = once(child, 'close')
  // `unshare` ends after process 1, and that after all the others.
  async function stop() {
    child.ref()
    // Its end is known when its output has ended, which may be after it has gone.
    for (const stream of child.stdio) if (stream instanceof Socket) stream.ref()
    child.stdin.end()
    await exited
  }

  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const answer = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text).trim()),
    exited.then(() => 'failed'),
  ])
  if (answer !== 'ready' || child.pid === undefined) {
    await stop()
    throw new Error(whyNoNamespaces(isRoot, stderr.trim()))
  }
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
  // A forgotten server must not keep its program running: it ends with the program.
  letGo(child)
  return { pid: child.pid, init: Number.parseInt(children, 10), stop }
}

function letGo(child: ChildProcess) {
  child.unref()
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref()
}

function whyNoNamespaces(isRoot: boolean, reason: string) {
  const remedy = isRoot
    ? 'root may not mount here. In a container, allow it CAP_SYS_ADMIN and mount (docker run --privileged).'
    : 'this machine does not let ordinary users make user namespaces. Run it as root, or allow them: ' +
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), kernel.unprivileged_userns_clone=1 (Debian), ' +
      'user.max_user_namespaces=15000 (others).'
  return `A lab server needs mount namespaces of its own: ${remedy}\n${reason}`
}

function enter(init: number, ...namespaces: readonly string[]) {
  return ['nsenter', '--target', String(init), '--mount', '--pid', ...namespaces, '--']
}

const INTO_THE_SERVER = [
  '/bin/sh',
  '-c',
  'exec nsenter --target "$(cat /run/sshd/inside)" --user --mount --pid --uts --ipc --preserve-credentials -- "$@"',
  'sh',
]

interface Executed {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

async function execute(
  [command = '', ...args]: readonly string[],
  { input = '', script = '' }: { readonly input?: string | Buffer; readonly script?: string | Buffer } = {},
): Promise<Executed> {
  const child = spawn(command, args, { cwd: '/', env: SERVER_ENV, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes))
  feed(child.stdio[0], input)
  feed(child.stdio[3], script)
  const [code, signal]: [number | null, NodeJS.Signals | null] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  })
  return {
    code: code ?? 128 + (signal ? constants.signals[signal] : 0),
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr),
  }
}

function feed(pipe: unknown, content: string | Buffer) {
  if (!(pipe instanceof Writable)) return
  // A command need not read what it is given.
  pipe.on('error', () => {})
  pipe.end(content)
}

function quote(arg: string | Buffer) {
  // One character per byte, so that bytes which are no text survive.
  const bytes = Buffer.from(arg).toString('latin1')
  return Buffer.from(`'${bytes.replaceAll("'", `'\\''`)}'`, 'latin1')
}

/** An address of its own keeps others from taking the port while the server refuses. */
async function freeLoopbackAddress() {
  const host = `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`
  const listener = createServer().listen(0, host)
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  await once(listener, 'close')
  if (address === null || typeof address === 'string') throw new Error(`no free port on ${host}`)
  return { host, port: address.port }
}

async function makeClientKey(directory: string) {
  const file = join(directory, 'key')
  const { code, stderr } = await execute(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file])
  if (code !== 0) throw new Error(`ssh-keygen failed: ${stderr.toString().trim()}`)
  return {
    file,
    privateKey: await readFile(file, 'utf8'),
    publicKey: (await readFile(`${file}.pub`, 'utf8')).trim(),
  }
}

async function writeSshFiles(directory: string, key: string, servers: readonly Running[]) {
  const knownHosts = servers.map(({ firstKnownHosts }) => firstKnownHosts).join('')
  const knownHostsFile = join(directory, 'known_hosts')
  const hosts = servers.map(({ name, host, port }) => `Host ${name}\n  HostName ${host}\n  Port ${port}\n`)
  const trust = [
    'Host *',
    '  User root',
    '  StrictHostKeyChecking yes',
    `  UserKnownHostsFile ${quotePath(knownHostsFile)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  UpdateHostKeys no',
    '  LogLevel ERROR',
    '',
  ].join('\n')
  const withKey = `  IdentityFile ${quotePath(key)}\n  IdentitiesOnly yes\n  IdentityAgent none\n`
  const sshConfig = join(directory, 'ssh_config')
  const sshConfigForAgent = join(directory, 'ssh_config_for_agent')
  await Promise.all([
    writeFile(knownHostsFile, knownHosts),
    writeFile(sshConfig, [...hosts, trust, withKey].join('')),
    writeFile(sshConfigForAgent, [...hosts, trust, '  IdentityFile none\n'].join('')),
  ])
  return { sshConfig, sshConfigForAgent, knownHosts }
}

function quotePath(path: string) {
  return `"${path.replaceAll('%', '%%')}"`
}

function checkName(name: string) {
  // It becomes a host name, and a word in the ssh configuration.
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/i.test(name)) throw new Error(`"${name}" is not a host name`)
}
