import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { hostAgent } from '../ansible-parts.ts'
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
})
