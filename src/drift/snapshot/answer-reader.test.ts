import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AnswerReader, type Incoming } from './answer-reader.ts'

const NONCE = '00112233445566778899aabbccddeeff'

function frame(id: number, payload: string, nonce = NONCE): string {
  const sha256 = createHash('sha256').update(payload).digest('hex')
  return `gitops-status:${nonce}:${id}:${Buffer.byteLength(payload)}:${sha256}\n${payload}\n`
}

function read(chunks: readonly (string | Buffer)[], maxBytes = 1_000): Incoming[] {
  const reader = new AnswerReader(NONCE)
  reader.expect(maxBytes)
  return chunks.flatMap((chunk) => reader.take(Buffer.from(chunk)))
}

const answers = (found: readonly Incoming[]) =>
  found.map((incoming) => (incoming.kind === 'answer' ? `${incoming.id} ${incoming.payload}` : incoming.why))

describe('AnswerReader', () => {
  it('finds an answer in what start-up files print', () => {
    const noise = 'Welcome!\n\u001b[31mgitops-status: hi\u0000\n'
    assert.deepEqual(answers(read([noise + frame(3, '{"a":1}') + noise])), ['3 {"a":1}'])
  })

  it('finds the same in whatever pieces it comes', () => {
    const text = Buffer.from(
      `gitops-status:${NONCE.slice(0, 9)}\nxx${frame(0, 'ready')}-${frame(1, 'one\nü')}${frame(2, '')}`,
    )
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        const chunks = at.slice(1).map((end, index) => text.subarray(at[index], end))
        assert.deepEqual(answers(read(chunks)), ['0 ready', '1 one\nü', '2 '])
      }),
    )
  })

  it('says nothing of half an answer', () => {
    const whole = frame(1, '{"a":1}')
    for (let length = 0; length < whole.length - 1; length++) assert.deepEqual(read([whole.slice(0, length)]), [])
  })

  it('refuses an answer into which something was printed', () => {
    const text = frame(1, '{"a":1}').replace('"a"', '"Mail!')
    assert.deepEqual(answers(read([text])), ['something else was printed into its answer'])
  })

  it('takes an answer with another nonce for noise', () => {
    assert.deepEqual(read([frame(1, '{}', NONCE.replace('00', '01'))]), [])
  })

  it('refuses a head that is none or has no end', () => {
    for (const head of ['-1:5:', '1:5:', '1:1e3:', `1:5:${'A'.repeat(64)}`, '']) {
      assert.deepEqual(answers(read([`gitops-status:${NONCE}:${head}\n`])), ['the head of its answer is none'], head)
    }
    assert.deepEqual(answers(read([`gitops-status:${NONCE}:${'1'.repeat(300)}`])), [
      'the head of its answer has no end',
    ])
  })

  it('refuses an answer that is longer than it can be, before it has come', () => {
    const head = `gitops-status:${NONCE}:1:1001:${'a'.repeat(64)}\n`
    assert.deepEqual(answers(read([head])), ['its answer has 1001 bytes'])
  })

  it('bears a quarter of a megabyte of noise before each answer, and no more', () => {
    const line = Buffer.alloc(64 * 1024, 'noise\n')
    const reader = new AnswerReader(NONCE)
    reader.expect(1_000)
    const take = () => reader.take(line).map(({ kind }) => kind)
    for (let n = 0; n < 4; n++) assert.deepEqual(take(), [])
    reader.expect(1_000)
    for (let n = 0; n < 4; n++) assert.deepEqual(take(), [])
    assert.deepEqual(take(), ['invalid'])
  })

  it('holds no more of the noise than a mark may begin in', () => {
    const before = process.memoryUsage().arrayBuffers
    const reader = new AnswerReader(NONCE)
    for (let n = 0; n < 1_000; n++) {
      reader.expect(1)
      reader.take(Buffer.alloc(64 * 1024))
    }
    assert(process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024)
  })
})
