import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLogWriter } from './log-writer.ts'

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'gitops-status-log-'))
})
after(() => rmSync(directory, { recursive: true }))

function aFile(name: string) {
  const path = join(directory, name)
  const fd = openSync(path, 'a')
  return { fd, text: () => readFileSync(path, 'utf8') }
}

describe('the writer of the log', () => {
  it('keeps every line whole and in order, however many come at once', async () => {
    const { fd, text } = aFile('many')
    const { write, flush } = createLogWriter(fd, () => assert.fail('nothing was lost'))
    const lines = Array.from({ length: 30_000 }, (_, n) => `line ${n} äöü\n`)
    for (const [n, line] of lines.entries()) {
      write(line)
      if (n % 7_000 === 0) await flush()
    }
    await flush()
    assert.equal(text(), lines.join(''))
    closeSync(fd)
  })

  it('writes a line by itself after a moment, though nobody asks for it', async () => {
    const { fd, text } = aFile('one')
    createLogWriter(fd, () => {}).write('one\n')
    assert.equal(text(), '')
    const deadline = performance.now() + 5_000
    while (text() === '' && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(text(), 'one\n')
    closeSync(fd)
  })

  it('leaves nothing behind when the process ends', () => {
    const { fd, text } = aFile('end')
    const { write, flushSync } = createLogWriter(fd, () => {})
    write('last words\n')
    flushSync()
    assert.equal(text(), 'last words\n')
    closeSync(fd)
  })

  it('gives up lines for a disk that is full, and never the process', async () => {
    const fd = openSync('/dev/full', 'w')
    const { write, flush, flushSync } = createLogWriter(fd, () => assert.fail('writing does not work yet'))
    write('a\n')
    await flush()
    write('b\n')
    flushSync()
    closeSync(fd)
  })

  it('is held up by no reader that stopped, and says how many lines were lost', async () => {
    const path = join(directory, 'pipe')
    execFileSync('mkfifo', [path])
    const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    let lost = 0
    const { write, flush } = createLogWriter(pipe, (lines) => {
      lost += lines
    })

    const line = `${'x'.repeat(1_023)}\n`
    const LINES = 20_000
    for (let n = 0; n < LINES; n++) write(line)

    await flush() // gives up after a moment, as a server that stops must

    const buffer = Buffer.alloc(1024 * 1024)
    let read = 0
    const deadline = performance.now() + 20_000
    while (read / line.length + lost < LINES && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      read += readAll(pipe, buffer)
    }
    assert.equal(read / line.length + lost, LINES)
    assert.ok(read < 9 * 1024 * 1024, `${read} bytes waited`)
    closeSync(pipe)
  })
})

function readAll(fd: number, buffer: Buffer): number {
  let total = 0
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) total += n
  } catch {
    // Nothing is in the pipe just now.
  }
  return total
}
