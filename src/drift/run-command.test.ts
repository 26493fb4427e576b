import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, runCommand } from './run-command.ts'

describe('runCommand', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'run-command-test-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  const shell = (script: string, more: Partial<Command> = {}) =>
    runCommand({
      file: '/bin/sh',
      args: ['-c', script],
      cwd: directory,
      env: { PATH: process.env.PATH ?? '' },
      timeoutMs: 10_000,
      ...more,
    })

  it('tells what was printed, and the exit code', async () => {
    assert.deepEqual(await shell('echo out; echo err >&2; exit 3'), {
      ending: { kind: 'exited', code: 3 },
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  it('gives its input, or an empty one', async () => {
    assert.equal((await shell('cat', { input: 'key' })).stdout, 'key')
    assert.equal((await shell('cat')).stdout, '')
  })

  it('does not mind a command that leaves its input unread', async () => {
    const { ending } = await shell('exit 0', { input: 'x'.repeat(1_000_000) })
    assert.deepEqual(ending, { kind: 'exited', code: 0 })
  })

  it('gives a command nothing but its own environment', async () => {
    const { stdout } = await shell('env', { env: { PATH: process.env.PATH ?? '', ONE: '1' } })
    assert.deepEqual(
      stdout
        .split('\n')
        .filter((line) => line !== '' && !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))
        .sort(),
      ['ONE=1', `PATH=${process.env.PATH}`],
    )
  })

  it('has no terminal to ask at', async () => {
    assert.equal((await shell('(: < /dev/tty) 2>/dev/null || echo none')).stdout, 'none\n')
  })

  it('says that it could not be started', async () => {
    const { ending } = await shell('', { file: '/no/such/program' })
    assert(ending.kind === 'not_started' && ending.reason.includes('ENOENT'))
  })

  it('says that it was killed by somebody else', async () => {
    assert.deepEqual((await shell('kill -9 $$')).ending, { kind: 'killed', signal: 'SIGKILL' })
  })

  it('ends a command that takes too long, and all that it has started', async () => {
    const { ending, stdout } = await shell('sleep 300 & echo $!; (sleep 300 & echo $!; wait) ; wait', {
      timeoutMs: 200,
    })

    assert.deepEqual(ending, { kind: 'timed_out' })
    const pids = stdout.trim().split('\n')
    assert.equal(pids.length, 2)
    for (const pid of pids) assert(await ends(pid), `${pid} lives on`)
  })

  it('ends one that does not heed SIGTERM', async () => {
    const { ending } = await shell("trap '' TERM; while :; do sleep 0.05; done", { timeoutMs: 100, killAfterMs: 100 })
    assert.deepEqual(ending, { kind: 'timed_out' })
  })

  it('is over in time when something that it started lives in another session and holds on to its output', async () => {
    const { ending, stdout } = await shell('setsid sleep 300 & echo $!; wait', { timeoutMs: 200, killAfterMs: 100 })

    process.kill(Number(stdout), 'SIGKILL')
    assert.deepEqual(ending, { kind: 'timed_out' })
  })

  it('does not wait for what a command leaves behind in another session', async () => {
    const { ending, stdout } = await shell('setsid sleep 300 & echo $!', { killAfterMs: 100 })

    process.kill(Number(stdout), 'SIGKILL')
    assert.deepEqual(ending, { kind: 'exited', code: 0 })
  })

  it('ends what a killed command leaves behind', async () => {
    const { ending, stdout } = await shell('sleep 300 & echo $!; kill -9 $$')

    assert.deepEqual(ending, { kind: 'killed', signal: 'SIGKILL' })
    assert(await ends(stdout.trim()))
  })

  it('ends a command when it is told to', async () => {
    const interruption = new AbortController()
    const running = shell('sleep 300', { signal: interruption.signal })

    interruption.abort()

    assert.deepEqual((await running).ending, { kind: 'interrupted' })
  })

  it('starts none when it was told to before', async () => {
    const { ending } = await shell('touch started', { signal: AbortSignal.abort() })

    assert.deepEqual(ending, { kind: 'interrupted' })
    assert(!existsSync(join(directory, 'started')))
  })
})

/** A process closes its files, and then ends: it may be on its way. */
async function ends(pid: string): Promise<boolean> {
  const deadline = performance.now() + 5_000
  while (!hasEnded(pid) && performance.now() < deadline) await delay(5)
  return hasEnded(pid)
}

/** Gone, or a zombie that nobody has waited for. */
function hasEnded(pid: string): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}
