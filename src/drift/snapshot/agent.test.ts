import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { blameProgram, hostAgent } from '../ansible-parts.ts'
import { parseBlameEvidence } from '../blame/blame-evidence.ts'
import { AnswerReader } from './answer-reader.ts'
import { remoteCommand } from './ssh-command.ts'

// The whole way over ssh is tried in test/looks/. Here it runs on this machine.
async function agentWith(requests: readonly object[]): Promise<ChildProcessWithoutNullStreams> {
  const source = Buffer.from(hostAgent())
  const agent = spawn('/bin/sh', ['-c', `exec ${remoteCommand({ python: null, become: null }, source.length)}`])
  agent.stdin.write(source)
  agent.stdin.write(['nonce', ...requests.map((request) => JSON.stringify(request)), ''].join('\n'))
  await once(agent.stdout, 'data')
  return agent
}

const LOOK = { kind: 'look', paths: [], listings: [] }
const BLAME = { kind: 'blame', lease_seconds: 60, seconds: 5, max_bytes: 1_000_000, after: 1, before: 2, paths: [] }

/** Asks one question after the other. */
async function answersOf(agent: ChildProcessWithoutNullStreams, questions: readonly object[]): Promise<string[]> {
  const reader = new AnswerReader('nonce')
  const answers: string[] = []
  for (const [id, question] of questions.entries()) {
    reader.expect(1_000_000)
    agent.stdin.write(`${JSON.stringify({ lease_seconds: 60, ...question, id })}\n`)
    while (answers.length <= id) {
      const [chunk] = await once(agent.stdout, 'data')
      for (const one of reader.take(chunk)) answers.push(one.kind === 'answer' ? one.payload.toString() : one.why)
    }
  }
  agent.stdin.end()
  return answers
}

describe('the agent', () => {
  it('answers each question, also when several come at once', async () => {
    const agent = await agentWith([])
    const reader = new AnswerReader('nonce')
    reader.expect(1_000)
    agent.stdin.write([1, 2, 3].map((id) => `${JSON.stringify({ ...LOOK, id, lease_seconds: 60 })}\n`).join(''))
    const ids: number[] = []
    for await (const chunk of agent.stdout) {
      ids.push(...reader.take(chunk).flatMap((incoming) => (incoming.kind === 'answer' ? [incoming.id] : [])))
      if (ids.length === 3) break
    }
    assert.deepEqual(ids, [1, 2, 3])
    agent.kill()
  })

  it('ends with its input', async () => {
    const agent = await agentWith([])
    agent.stdin.end()
    assert.deepEqual(await once(agent, 'exit'), [0, null])
  })

  it('ends when nobody has asked for as long as its lease', async () => {
    const agent = await agentWith([{ ...LOOK, id: 1, lease_seconds: 1 }])
    assert.deepEqual(await once(agent, 'exit'), [null, 'SIGALRM'])
    agent.stdin.destroy()
  })

  it('says what it cannot do, and goes on', async () => {
    const agent = await agentWith([])
    agent.stdin.write(`${JSON.stringify({ id: 1, kind: 'edit', lease_seconds: 60 })}\n`)
    const [said] = await once(agent.stdout, 'data')
    assert.match(String(said), /\n\{"error":"KeyError: 'edit'"\}\n$/)
    agent.stdin.end()
    assert.deepEqual(await once(agent, 'exit'), [0, null])
  })

  it('tells what is logged about a file, by the program that comes with the question', async () => {
    const path = Buffer.from('/etc/passwd').toString('base64')
    const before = Date.now() / 1000
    const question = { ...BLAME, paths: [path], after: before - 1, before, program: blameProgram() }
    const [answer = ''] = await answersOf(await agentWith([]), [question])

    assert.equal(parseBlameEvidence(answer, [path])?.files[0]?.kind, 'there')
  })

  // Whatever a log makes of the collector, it costs the look nothing.
  const BROKEN: Record<string, readonly [program: string, error: RegExp]> = {
    'that fails': ['def collect(request): return [][1]', /IndexError/],
    'that is none': ['def collect(', /SyntaxError/],
    'that takes too long': [
      'def collect(request):\n  while True:\n    try: [1]\n    except Exception: pass',
      /the time is up/,
    ],
    'that finds too much': ['def collect(request): return "x" * 2000000', /too many findings/],
  }
  for (const [which, [program, error]] of Object.entries(BROKEN)) {
    it(`goes on after a program ${which}`, async () => {
      // Three seconds are added: one is enough.
      const answers = await answersOf(await agentWith([]), [{ ...BLAME, seconds: -2, program }, LOOK])
      assert.match(answers[0] ?? '', error)
      assert.match(answers[1] ?? '', /^{"clock"/)
    })
  }

  it('ends with its input, also in the middle of such a program', { timeout: 20_000 }, async () => {
    const agent = await agentWith([])
    const program = 'import time\ndef collect(request): print("there", flush=True); time.sleep(60)'
    agent.stdin.write(`${JSON.stringify({ ...BLAME, id: 1, seconds: 60, program })}\n`)
    await once(agent.stdout, 'data')
    agent.stdin.end()
    assert.deepEqual(await once(agent, 'exit'), [0, null])
  })
})
