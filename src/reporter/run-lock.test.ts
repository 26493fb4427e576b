import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { takeRunLock } from './run-lock.ts'

const MODULE = new URL('run-lock.ts', import.meta.url).href

describe('takeRunLock', { skip: process.platform !== 'linux' && 'the lock is a Linux socket name' }, () => {
  it('is there once for the same check, and for each other check', async () => {
    const what = ['/repository', String(process.pid)]
    const lock = await takeRunLock(what)
    const other = await takeRunLock([...what, 'other'])

    assert.notEqual(lock, null)
    assert.notEqual(other, null)
    assert.equal(await takeRunLock(what), null)
    other?.release()
    lock?.release()
  })

  it('is there again after it was given back', async () => {
    const what = ['/again', String(process.pid)]
    ;(await takeRunLock(what))?.release()

    const lock = await takeRunLock(what)

    assert.notEqual(lock, null)
    lock?.release()
  })

  it('does not take ["ab"] for ["a", "b"]', async () => {
    const [first, second] = [await takeRunLock(['ab', 'c']), await takeRunLock(['a', 'bc'])]
    assert(first !== null && second !== null)
    first.release()
    second.release()
  })

  it('keeps another process out, and is free at once when its holder is killed', async () => {
    const what = ['/killed', String(process.pid)]
    const program = `
      import { takeRunLock } from ${JSON.stringify(MODULE)}
      console.log((await takeRunLock(${JSON.stringify(what)})) === null ? 'null' : 'held')
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    assert.equal(String((await once(holder.stdout, 'data'))[0]).trim(), 'held')
    assert.equal(await takeRunLock(what), null)

    holder.kill('SIGKILL')
    await once(holder, 'exit')

    const lock = await takeRunLock(what)
    assert.notEqual(lock, null)
    lock?.release()
  })
})
