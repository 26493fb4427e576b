import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
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

describe('the bell', () => {
  let top: string
  const base64 = (path: string) => Buffer.from(path).toString('base64')
  before(() => {
    top = mkdtempSync(join(tmpdir(), 'bell-'))
  })
  after(() => rmSync(top, { recursive: true }))

  /** An agent that watches these, and what it says of itself next. */
  async function bellAt(paths: readonly string[], listings: readonly string[] = []) {
    const agent = await agentWith([])
    const reader = new AnswerReader('nonce')
    reader.expect(1_000)
    const said: { changed: boolean; why: string | null }[] = []
    const waiting: (() => void)[] = []
    agent.stdout.on('data', (chunk: Buffer) => {
      for (const one of reader.take(chunk)) if (one.kind === 'answer') said.push(JSON.parse(String(one.payload)))
      for (const go of waiting.splice(0)) go()
    })
    async function next(isWanted: (one: { changed: boolean; why: string | null }) => boolean) {
      for (;;) {
        const found = said.find(isWanted)
        said.length = 0
        if (found !== undefined) return found
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    }
    const request = {
      paths: paths.map((path) => base64(join(top, path))),
      listings: listings.map((path) => ({ path: base64(join(top, path)), recurse: true })),
    }
    agent.stdin.write(`${JSON.stringify({ id: 1, kind: 'watch', lease_seconds: 60, ...request })}\n`)
    const first = await next(() => true)
    return {
      first,
      /** What was said that somebody wanted to hear. */
      rings: () => next(({ changed }) => changed),
      lives: () => next(({ changed }) => !changed),
      said,
      [Symbol.dispose]: () => void agent.kill(),
    }
  }

  it('rings for whatever is done to a file, wherever its directories come from', async () => {
    const dir = join(top, 'a/b')
    mkdirSync(dir, { recursive: true })
    const file = join(dir, 'file')
    writeFileSync(file, 'x')
    using bell = await bellAt(['a/b/file', 'late/c/file'])
    assert.deepEqual(bell.first, { changed: false, why: null })

    const deeds: Record<string, () => void> = {
      append: () => appendFileSync(file, 'x'),
      mode: () => chmodSync(file, 0o600),
      'replaced by a rename': () => {
        writeFileSync(join(dir, 'new'), 'y')
        renameSync(join(dir, 'new'), file)
      },
      'append to the new one': () => appendFileSync(file, 'x'),
      'another name for it': () => linkSync(file, join(top, 'second')),
      'written to under that name': () => appendFileSync(join(top, 'second'), 'x'),
      deleted: () => rmSync(file),
      'a link in its place': () => symlinkSync('nowhere', file),
      'its directory replaced': () => {
        renameSync(dir, join(top, 'a/old'))
        mkdirSync(dir)
      },
      'a file in the new directory': () => writeFileSync(file, 'z'),
      'append to that': () => appendFileSync(file, 'x'),
      'a directory that was missing': () => mkdirSync(join(top, 'late')),
      'one in it': () => mkdirSync(join(top, 'late/c')),
      'the file in that': () => writeFileSync(join(top, 'late/c/file'), 'z'),
      'append to it': () => appendFileSync(join(top, 'late/c/file'), 'x'),
    }
    for (const [what, deed] of Object.entries(deeds)) {
      deed()
      assert.deepEqual(await bell.rings(), { changed: true, why: null }, what)
    }
  })

  it('rings for what appears anywhere in a directory that is listed', async () => {
    mkdirSync(join(top, 'listed/deep'), { recursive: true })
    using bell = await bellAt([], ['listed'])
    for (const name of ['one', 'deep/two', 'deep/three']) {
      writeFileSync(join(top, 'listed', name), '')
      await bell.rings()
    }
    mkdirSync(join(top, 'listed/new'))
    await bell.rings()
    writeFileSync(join(top, 'listed/new/four'), '')
    await bell.rings()
  })

  it('is silent about what nobody asked about, and gives signs of life', async () => {
    mkdirSync(join(top, 'busy'))
    writeFileSync(join(top, 'busy/file'), '')
    using bell = await bellAt(['busy/file'])
    for (let n = 0; n < 100; n++) writeFileSync(join(top, 'busy', `other-${n}`), 'x')
    assert.deepEqual(await bell.lives(), { changed: false, why: null })
  })

  it('rings when the kernel could not remember all that happened', async () => {
    const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
    mkdirSync(join(top, 'flood'))
    writeFileSync(join(top, 'flood/file'), '')
    using bell = await bellAt(['flood/file'])
    // None of them rings by itself.
    for (let n = 0; n < most; n++) {
      writeFileSync(join(top, 'flood/other'), '')
      rmSync(join(top, 'flood/other'))
      if (bell.said.some(({ changed }) => changed)) break
    }
    assert.deepEqual(await bell.rings(), { changed: true, why: null })
  })
})
