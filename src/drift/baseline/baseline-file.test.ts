import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { aCertified } from '../../../test/drift/certified-builder.ts'
import { aFile, aSnapshot, entries } from '../../../test/drift/snapshot-builder.ts'
import type { Remembered } from './baseline.ts'
import { type Baselines, openBaselines } from './baseline-file.ts'
import { keyed } from './keyed.ts'
import { Untrusted } from './state-directory.ts'

const CHECK = { directory: '/repository', playbook: '/repository/site.yml', inventory: 'hosts.yml' }

const REMEMBERED: Remembered = {
  access: {
    host: '192.0.2.7',
    port: 22,
    user: null,
    keyFile: null,
    sshArgs: ['-J', 'x'],
    python: null,
    become: 'root',
  },
  watched: { paths: ['L2V0Yy9hcHAuY29uZg=='], listings: [{ path: 'L2V0Yw==', recurse: true }] },
  certified: aCertified({
    snapshot: aSnapshot({ '/etc/app.conf': aFile() }, { listings: { '/etc/app.d': entries('a') } }),
  }),
}

describe('openBaselines', () => {
  let parent: string
  let directory: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'baselines-test-'))
    directory = join(parent, 'state')
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  const open = (key: string | null = null, check = CHECK) => openBaselines(directory, { check, key })
  const onlyFile = () => {
    const [name = '', ...more] = readdirSync(join(directory, 'baselines'))
    assert.deepEqual(more, [])
    return join(directory, 'baselines', name)
  }
  const written = () => {
    open().write('web1', REMEMBERED)
    return onlyFile()
  }
  const whyVoid = (baselines: Baselines, host = 'web1') => {
    const read = baselines.read(host)
    assert.ok('void' in read, 'something was taken from it')
    return read.void
  }

  it('gives back what it was given, also to another process', () => {
    open().write('web1', REMEMBERED)
    assert.deepEqual(open().read('web1'), { remembered: REMEMBERED })
    const learned = { ...REMEMBERED, access: { why: 'its connection is local' }, certified: null }
    open().write('web1', learned)
    assert.deepEqual(open().read('web1'), { remembered: learned })
  })

  it('remembers nothing of another host, repository, playbook or inventory', () => {
    open().write('web1', REMEMBERED)
    assert.deepEqual(open().read('web2'), { remembered: null })
    for (const other of [{ directory: '/other' }, { playbook: '/other.yml' }, { inventory: 'other.yml' }])
      assert.deepEqual(open(null, { ...CHECK, ...other }).read('web1'), { remembered: null })
  })

  it('keeps what it writes to this user, and leaves nothing half written', () => {
    const file = written()
    const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8)
    assert.deepEqual([directory, join(directory, 'baselines'), file, join(directory, 'key')].map(modeOf), [
      '700',
      '700',
      '600',
      '600',
    ])
    assert.deepEqual(readdirSync(directory).sort(), ['baselines', 'key'])
  })

  it('holds no hash that could be guessed back into a content', () => {
    const text = readFileSync(written(), 'utf8')
    for (const plain of [aFile().sha256, aFile().sha1]) assert.ok(!text.includes(plain))
  })

  for (const at of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
    it(`takes nothing from a file with one byte changed at ${at * 100} %`, () => {
      const file = written()
      const bytes = readFileSync(file)
      const index = Math.floor(bytes.length * at)
      bytes[index] = (bytes[index] ?? 0) ^ 1
      writeFileSync(file, bytes)
      assert.match(whyVoid(open()), /^its seal does not fit/)
    })
  }

  it('takes nothing from a file that was cut, emptied or added to', () => {
    const file = written()
    const text = readFileSync(file, 'utf8')
    for (const other of ['', '{}', text.slice(0, -40), text.split('\n')[0] ?? '', `${text}{}\n`]) {
      writeFileSync(file, other)
      assert.match(whyVoid(open()), /^its seal does not fit/)
    }
  })

  it('takes nothing that was sealed with another key', () => {
    written()
    assert.match(whyVoid(open('another key of some length')), /^its seal does not fit/)
    rmSync(join(directory, 'key'))
    assert.match(whyVoid(open()), /^its seal does not fit/)
  })

  it('takes nothing about another host, however well sealed', () => {
    const file = written()
    open().write('web2', REMEMBERED)
    const ofWeb2 = readdirSync(join(directory, 'baselines')).map((name) => join(directory, 'baselines', name))
    renameSync(ofWeb2.find((name) => name !== file) ?? '', file)
    assert.match(whyVoid(open()), /^it is about another host/)
  })

  it('takes nothing of another format, and nothing that is only half understood', () => {
    const file = written()
    const { key } = open()
    const body = JSON.parse(readFileSync(file, 'utf8').split('\n')[0] ?? '')
    const sealed = (value: unknown) => {
      const text = JSON.stringify(value)
      writeFileSync(file, `${text}\n${keyed(key, 'seal', text)}\n`)
    }
    sealed({ ...body, format: 2 })
    assert.match(whyVoid(open()), /^it is of another version/)

    const fields = Object.keys(body.certified).map((field) => ['certified', field])
    for (const [outer = '', inner] of [['access'], ['watched'], ['certified'], ...fields]) {
      const broken = inner === undefined ? 7 : { ...body[outer], [inner]: 7 }
      // A number is a count as good as another.
      if (inner === 'watchedCount') continue
      sealed({ ...body, [outer]: broken })
      assert.match(whyVoid(open()), /^it was not understood/, `${outer} ${inner}`)
    }
    sealed(body)
    assert.deepEqual(open().read('web1'), { remembered: REMEMBERED })
  })

  it('takes nothing from a file that others can write, or from a link', () => {
    const file = written()
    chmodSync(file, 0o620)
    assert.match(whyVoid(open()), /can be written by others/)
    chmodSync(file, 0o600)
    renameSync(file, `${file}.real`)
    symlinkSync(`${file}.real`, file)
    assert.match(whyVoid(open()), /is a link/)
    rmSync(file)
    mkdirSync(file)
    assert.match(whyVoid(open()), /is not a file/)
  })

  it('refuses a directory that others can write, a link to one, and what is none', () => {
    mkdirSync(directory, { mode: 0o700 })
    chmodSync(directory, 0o770)
    assert.throws(() => open(), Untrusted)
    chmodSync(directory, 0o700)
    renameSync(directory, `${directory}.real`)
    symlinkSync(`${directory}.real`, directory)
    assert.throws(() => open(), /is a link/)
    rmSync(directory)
    writeFileSync(directory, '')
    assert.throws(() => open(), { syscall: 'mkdir' })
  })

  it('refuses a directory and a file of somebody else', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    const { chownSync } = await import('node:fs')
    const file = written()
    chownSync(file, 65_534, 65_534)
    assert.match(whyVoid(open()), /belongs to another user/)
    chownSync(directory, 65_534, 65_534)
    assert.throws(() => open(), Untrusted)
  })

  it('refuses a key that others can read, and one that is none', () => {
    written()
    chmodSync(join(directory, 'key'), 0o640)
    assert.throws(() => open(), /can be read by others/)
    chmodSync(join(directory, 'key'), 0o600)
    writeFileSync(join(directory, 'key'), 'secret\n')
    assert.throws(() => open(), /holds no key/)
  })

  it('needs no key of its own when it is given one', () => {
    open('a key of some length').write('web1', REMEMBERED)
    assert.deepEqual(readdirSync(directory), ['baselines'])
    assert.deepEqual(open('a key of some length').read('web1'), { remembered: REMEMBERED })
  })
})
