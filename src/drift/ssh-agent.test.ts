import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type SshAgent, startSshAgent } from './ssh-agent.ts'

const ENV = { PATH: process.env.PATH ?? '' }

describe('startSshAgent', () => {
  let directory: string
  let key: string
  let fingerprint: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'agent-test-'))
    key = newKey('key', '')
    fingerprint = execFileSync('ssh-keygen', ['-lf', join(directory, 'key')], { encoding: 'utf8' }).split(' ')[1] ?? ''
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  function newKey(name: string, passphrase: string): string {
    const file = join(directory, name)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', file])
    return readFileSync(file, 'utf8')
  }

  function start(privateKey: string, env: Record<string, string> = ENV) {
    const own = mkdtempSync(join(directory, 'run-'))
    return startSshAgent({ privateKey, directory: own, lifetimeMs: 60_000, env })
  }

  async function started(privateKey: string): Promise<SshAgent & Disposable> {
    const agent = await start(privateKey)
    if ('error' in agent) throw new Error(agent.error.message)
    return { ...agent, [Symbol.dispose]: agent.stop }
  }

  const keysIn = ({ socket }: SshAgent) =>
    execFileSync('ssh-add', ['-l'], { env: { ...ENV, SSH_AUTH_SOCK: socket }, encoding: 'utf8' })

  it('holds the key, for its owner only', async () => {
    using agent = await started(key)

    assert(keysIn(agent).includes(fingerprint))
    assert.equal(statSync(agent.socket).mode & 0o077, 0)
  })

  it('takes a key without its last newline, with CRLF, or with space around it', async () => {
    for (const spoiled of [key.trimEnd(), key.replaceAll('\n', '\r\n'), `\n  ${key}\n\n`]) {
      using agent = await started(spoiled)
      assert(keysIn(agent).includes(fingerprint))
    }
  })

  it('refuses what is no key, half a key, and a key with a passphrase, without asking for it', async () => {
    const locked = newKey('locked', 'a passphrase')
    for (const wrong of ['', 'not a key', key.slice(0, 120), locked]) {
      const agent = await start(wrong)
      assert.equal('error' in agent && agent.error.code, 'ssh_key_invalid')
    }
  })

  it('does not repeat what it was given when it refuses it', async () => {
    const agent = await start('hunter2')
    assert(!JSON.stringify(agent).includes('hunter2'))
  })

  it('says that there is no ssh-agent', async () => {
    const agent = await start(key, { PATH: '/nowhere' })
    assert.equal('error' in agent && agent.error.code, 'ssh_agent_failed')
  })

  it('ends when it is told to', async () => {
    const agent = await started(key)
    const pid = agentPid(agent)

    agent.stop()

    assert(await endsWithin(pid, 2_000))
  })

  it('shows the key to nobody: not in arguments, not in an environment, not in a file', async () => {
    using agent = await started(key)
    const secret = key.split('\n')[1] ?? ''
    const pid = agentPid(agent)

    for (const pidOf of ['self', String(pid), ...childrenOfThisProcess()]) {
      for (const file of ['cmdline', 'environ']) {
        assert(!readProc(pidOf, file).includes(secret), `/proc/${pidOf}/${file}`)
      }
    }
    const own = join(agent.socket, '..')
    assert.deepEqual(readdirSync(own), ['agent'])
  })

  it('opens no file for writing, in none of its processes', {
    skip: !has('strace') && 'strace is not installed',
  }, async () => {
    const trace = join(directory, 'trace')
    const owner = spawnOwner([
      'strace',
      '-f',
      '-qq',
      '-v',
      '-s',
      '4096',
      '-e',
      'trace=openat,open,creat,execve,memfd_create',
      '-o',
      trace,
    ])
    owner.stdin?.end(key)
    await once(owner, 'exit')

    const lines = readFileSync(trace, 'utf8').split('\n')
    assert(lines.some((line) => line.includes('execve') && line.includes('ssh-add')))
    const written = lines.filter((line) => /O_WRONLY|O_RDWR|O_CREAT|creat\(|memfd_create/.test(line))
    assert.deepEqual(
      written.filter((line) => !line.includes('"/dev/')),
      [],
    )
    assert(!lines.some((line) => line.includes(key.split('\n')[1] ?? '')))
  })

  it('ends with its owner, also when that is killed', async () => {
    const owner = spawnOwner([])
    owner.stdin?.end(key)
    const pid = Number(await ready(owner))
    assert(isAlive(pid))

    owner.kill('SIGKILL')

    assert(await endsWithin(pid, 15_000), 'the agent outlived its owner')
  })

  /** A process of its own that starts an agent with the key from its standard input, and says the agent's pid. */
  function spawnOwner([wrapper, ...args]: readonly string[]): ChildProcess {
    const own = mkdtempSync(join(directory, 'owner-'))
    const program = `
      import { readFileSync } from 'node:fs'
      import { startSshAgent } from ${JSON.stringify(fileURLToPath(new URL('ssh-agent.ts', import.meta.url)))}
      const agent = await startSshAgent({ privateKey: readFileSync(0, 'utf8'), directory: ${JSON.stringify(own)},
        lifetimeMs: 60000, env: ${JSON.stringify(ENV)} })
      console.log('ready')
      ${wrapper === undefined ? 'setInterval(() => {}, 1000)' : 'agent.stop()'}`
    const node = [process.execPath, '--input-type=module', '-e', program]
    const [file = '', ...rest] = wrapper === undefined ? node : [wrapper, ...args, ...node]
    const owner = spawn(file, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: ENV })
    owners.set(owner, join(own, 'agent'))
    return owner
  }
})

const owners = new WeakMap<ChildProcess, string>()

async function ready(owner: ChildProcess): Promise<string> {
  if (owner.stdout === null) throw new Error('no output')
  await once(owner.stdout, 'data')
  const socket = owners.get(owner) ?? ''
  assert(existsSync(socket))
  return String(agentPid({ socket }))
}

/** The process that listens on the socket, as its arguments say. */
function agentPid({ socket }: Pick<SshAgent, 'socket'>): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const agents = pids.filter((pid) => readProc(pid, 'cmdline').startsWith(`ssh-agent\0-a\0${socket}\0`))
  assert.equal(agents.length, 1, 'one agent at this socket')
  return Number(agents[0])
}

function childrenOfThisProcess(): string[] {
  return readProc('self', `task/${process.pid}/children`).trim().split(' ').filter(Boolean)
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // ended meanwhile
  }
}

function isAlive(pid: number): boolean {
  const status = readProc(String(pid), 'status')
  return status !== '' && !/^State:\s+Z/m.test(status)
}

async function endsWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  while (isAlive(pid) && performance.now() < deadline) await delay(20)
  return !isAlive(pid)
}

function has(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, command)))
}
