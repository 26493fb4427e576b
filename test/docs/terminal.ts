import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A reader's shell: what one block exports is there for the next. */
export interface Terminal {
  /** Runs a block to its end; stops at the first command that fails. */
  run(block: string, environment?: Readonly<Record<string, string>>): Promise<Ended>
  /** Runs a block that does not end by itself, until it says what it is waited for; `end` is Ctrl-C. */
  start(block: string, said: RegExp): Promise<{ readonly output: string; end(): Promise<void> }>
}

const TIMEOUT_MS = 180_000

export function openTerminal(directory: string, home: string, env: NodeJS.ProcessEnv): Terminal {
  const exported = join(home, 'exported')

  function launch(script: string, more: Readonly<Record<string, string>> = {}) {
    const child = spawn('bash', ['-c', script], {
      cwd: directory,
      env: { ...env, ...more },
      // A group of its own, so that Ctrl-C reaches all that the block has started.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text
      })
    }
    const signal = (name: NodeJS.Signals) => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name)
    }
    return { output, closed: once(child, 'close'), isOver: () => child.exitCode !== null, signal }
  }

  const before = `[ ! -e ${exported} ] || . ${exported}\n`
  return {
    async run(block, environment) {
      const { output, closed, signal } = launch(`set -e\n${before}${block}\nexport -p >${exported}`, environment)
      const giveUp = setTimeout(() => signal('SIGKILL'), TIMEOUT_MS)
      const [code] = (await closed) as [number | null]
      clearTimeout(giveUp)
      return { code, ...output }
    },
    async start(block, said) {
      const { output, closed, isOver, signal } = launch(before + block)
      const deadline = performance.now() + TIMEOUT_MS
      while (!said.test(output.stdout)) {
        assert.ok(!isOver(), `it ended before it said ${said}: ${output.stdout}${output.stderr}`)
        assert.ok(performance.now() < deadline, `it never said ${said}: ${output.stdout}${output.stderr}`)
        await wait(20)
      }
      return {
        output: output.stdout,
        async end() {
          signal('SIGINT')
          await closed
        },
      }
    },
  }
}
