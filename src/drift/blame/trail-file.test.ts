import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { openTrails, type Trail } from './trail-file.ts'

const KEY = Buffer.alloc(32, 1)
const CHECK = { directory: '/repository', playbook: '/repository/site.yml', inventory: 'hosts' }
const TRAIL: Trail = {
  lookedAt: { realtime: 1_700_000_000_123_456_789n, boottime: 5n, bootId: 'boot-1' },
  isKnownSince: true,
  readBetween: { from: 1.5, to: 2.5 },
  ownChecks: [{ from: 1, to: 3 }],
  linked: ['L2V0Yy9h'],
  named: new Map([['L2V0Yy9i', { state: 'x', by: 'Alice (ssh, medium)' }]]),
}

describe('the trail of a host', () => {
  let state: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'trails-test-'))
  })
  afterEach(() => rmSync(state, { recursive: true }))
  const trails = (key = KEY) => openTrails(state, { check: CHECK, key })
  const file = () => join(state, 'trails', readdirSync(join(state, 'trails'))[0] ?? '')

  it('comes back as it was kept, of this host alone', () => {
    assert.equal(trails().write('web1', TRAIL), null)
    assert.deepEqual(trails().read('web1'), TRAIL)
    assert.equal(trails().read('web2'), null)
    assert.equal(statSync(file()).mode & 0o777, 0o600)
  })

  it('is forgotten when it is told to', () => {
    trails().write('web1', TRAIL)
    assert.equal(trails().write('web1', null), null)
    assert.equal(trails().read('web1'), null)
    assert.equal(trails().write('web1', null), null)
  })

  it('is nothing once somebody has changed it, sealed it with another key, or put it in the place of another', () => {
    trails().write('web1', TRAIL)
    assert.equal(trails(Buffer.alloc(32, 2)).read('web1'), null)
    const text = readFileSync(file(), 'utf8')
    writeFileSync(file(), text.replace('Alice', 'Bobby'))
    assert.equal(trails().read('web1'), null)

    trails().write('web1', null)
    trails().write('web2', TRAIL)
    const other = file()
    trails().write('web1', TRAIL)
    for (const name of readdirSync(join(state, 'trails')))
      writeFileSync(join(state, 'trails', name), readFileSync(other))
    assert.deepEqual([trails().read('web1'), trails().read('web2')], [null, TRAIL])
  })
})
