import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { missingTools } from '../../scripts/install-tools.ts'
import { SETTINGS } from '../../src/config.ts'
import { aBody } from '../server/a-report.ts'
import { post } from '../server/start-app.ts'
import { runServer, startServer } from '../server/start-server.ts'
import { hasStrace } from '../server/strace.ts'
import { type NotifySocket, openNotifySocket } from './notify-socket.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const UNITS = join(ROOT, 'deploy/systemd')
const hasSystemd = !missingTools('test').some(({ command }) => command === 'systemd-analyze')

/** 1.5 of 10; what remains is the network, the JIT compiler and the notification. */
const MOST_EXPOSED = 15

describe('the systemd units', { skip: !hasSystemd }, () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-units-'))
    for (const name of readdirSync(UNITS)) {
      const text = readFileSync(join(UNITS, name), 'utf8')
      // The programs are not installed here; the settings are what is looked at.
      const here = text.replaceAll('/opt/gitops-status/', ROOT).replaceAll('/srv/gitops/%i/update', `${ROOT}update`)
      writeFileSync(join(directory, name.replace('@.', '@rsyslog.')), here)
    }
  })
  after(() => rmSync(directory, { recursive: true }))

  for (const unit of [
    'gitops-status-server.service',
    'gitops-status-report@rsyslog.service',
    'gitops-status-watch@rsyslog.service',
  ]) {
    it(`leave little open: ${unit}`, () => {
      const { status, stdout } = analyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, unit)
      assert.equal(status, 0, stdout)
    })
  }

  for (const unit of [
    'gitops-status-server.service',
    'gitops-status-report@rsyslog.service',
    'gitops-status-report@rsyslog.timer',
    'gitops-status-watch@rsyslog.service',
  ]) {
    it(`have no mistakes: ${unit}`, () => {
      const { status, stdout, stderr } = analyze('verify', '--man=no', unit)
      assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: '' })
    })
  }

  function analyze(...args: readonly string[]) {
    return spawnSync('systemd-analyze', ['--no-pager', ...args], { cwd: directory, encoding: 'utf8', timeout: 60_000 })
  }
})

it('the examples of settings name settings', () => {
  const known: readonly string[] = Object.values(SETTINGS).flatMap(({ env }) => [env, `${env}_FILE`])
  for (const name of ['server.env', 'postgresql.conf', 'gitops-status-server.service']) {
    const text = readFileSync(join(UNITS, name), 'utf8')
    const named = [...text.matchAll(/^(?:Environment=)?((?:GITOPS_STATUS|DATABASE)_\w+)=/gm)].map(([, name]) => name)
    assert.ok(named.length > 0, name)
    if (name === 'server.env') assert.match(text, /^GITOPS_STATUS_AUTH=required$/m)
    for (const variable of named) assert.ok(known.includes(variable ?? ''), `${name}: ${variable}`)
  }
})

describe('a server that systemd started', { skip: !hasSystemd }, () => {
  let directory: string
  let socket: NotifySocket
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-notify-'))
    socket = await openNotifySocket(directory)
  })
  afterEach(() => {
    socket.close()
    rmSync(directory, { recursive: true })
  })

  const start = (env: Record<string, string>, shutdownWait = '0') =>
    startServer({ database: join(directory, 'test.db'), args: ['--shutdown-wait', shutdownWait], env })

  it('says that it is ready, where, and that it stops', async () => {
    const server = await start({ NOTIFY_SOCKET: socket.path })
    await socket.heard(`STATUS=ready at ${server.url}`)
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200)

    assert.equal(await server.end('SIGTERM'), 0)
    await socket.heard('STATUS=stopping')
    assert.deepEqual(socket.lines, ['READY=1', `STATUS=ready at ${server.url}`, 'STOPPING=1', 'STATUS=stopping'])
  })

  it('gives signs of life when they are asked for', async () => {
    const server = await start({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '200000' })
    await socket.heard('WATCHDOG=1')
    assert.equal(await server.end('SIGTERM'), 0)
  })

  it('gives none that are asked of another process', async () => {
    const server = await start({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' })
    assert.equal(await server.end('SIGTERM'), 0)
    await socket.heard('STOPPING=1')
    assert.ok(!socket.lines.includes('WATCHDOG=1'))
  })

  it('makes no system call that the unit forbids', { skip: !hasStrace }, async () => {
    const trace = join(directory, 'trace')
    const server = await startServer({
      database: join(directory, 'traced.db'),
      // -D: strace watches from beside, and signals reach the server itself.
      under: ['strace', '-D', '-f', '-qq', '-o', trace],
      args: ['--shutdown-wait', '0'],
      env: { NOTIFY_SOCKET: socket.path },
    })
    assert.equal((await post(server.url, aBody())).status, 200)
    assert.equal((await fetch(`${server.url}/metrics`)).status, 200)
    await socket.heard('READY=1')
    assert.equal(await server.end('SIGTERM'), 0)
    await socket.heard('STATUS=stopping')

    const made = new Set([...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = '']) => name))
    assert.ok(made.size > 40, 'a server at work')
    const allowed = callsAllowedBy(readFileSync(join(UNITS, 'gitops-status-server.service'), 'utf8'))
    // SQLite asks for fchown where it is root, which it is not under the unit.
    const forbidden = [...made].filter((name) => !allowed.has(name) && name !== 'fchown')
    assert.deepEqual(forbidden, [])
  })

  it('never says that it is ready when it cannot start', async () => {
    const server = await start({})
    const second = await runServer(['--database-url', `sqlite:${join(directory, 'test.db')}`, '--port', '0'], {
      NOTIFY_SOCKET: socket.path,
    })
    assert.equal(second.code, 1)
    assert.deepEqual(socket.lines, [])
    await server.end('SIGTERM')
  })

  it('serves all the same where nobody listens', async () => {
    const server = await start({ NOTIFY_SOCKET: join(directory, 'nobody') }, '1')
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
    assert.equal(await server.end('SIGTERM'), 0)
    assert.ok(server.lines.some((line) => JSON.parse(line).msg === 'systemd could not be told'))
  })
})

function callsAllowedBy(unit: string): ReadonlySet<string> {
  const allowed = new Set<string>()
  for (const [, without, groups = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of groups.split(' ').flatMap((group) => [...callsOf(group)])) {
      if (without) allowed.delete(name)
      else allowed.add(name)
    }
  }
  return allowed
}

/** As systemd knows them: a group may name others. */
function callsOf(group: string): Set<string> {
  const { stdout } = spawnSync('systemd-analyze', ['--no-pager', 'syscall-filter', group], { encoding: 'utf8' })
  const names = stdout.split('\n').flatMap((line) => /^ +([@\w-]+)/.exec(line)?.[1] ?? [])
  return new Set(names.flatMap((name) => (name.startsWith('@') ? [...callsOf(name)] : [name])))
}
