import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDriftedRow, aRow } from '../../../../test/web/a-row.ts'
import { createFleet, NOTHING_YET } from './fleet.ts'
import type { Told } from './told.ts'

const HEARD: Told = {
  connection: 'live',
  asOf: 1_000,
  clockAheadMs: null,
  isReset: false,
  isComplete: false,
  rows: [],
  removed: [],
}

function aFleet() {
  const fleet = createFleet()
  return {
    ...fleet,
    told: (told: Partial<Told>) => fleet.take({ ...HEARD, ...told }),
    servers: () => fleet.read().rows.map(({ server }) => server),
  }
}

function rowsNamed(...servers: string[]) {
  return servers.map((server) => aRow({ server }))
}

describe('the fleet that a page knows', () => {
  it('is empty and not complete before anything was told', () => {
    assert.equal(createFleet().read(), NOTHING_YET)
  })

  it('shows what is there while the first picture is on its way, and says that it is not complete', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, rows: rowsNamed('b', 'a') })
    assert.deepEqual(fleet.servers(), ['a', 'b'])
    assert.equal(fleet.read().isComplete, false)
    fleet.told({ rows: rowsNamed('c'), isComplete: true })
    assert.deepEqual(fleet.servers(), ['a', 'b', 'c'])
    assert.equal(fleet.read().isComplete, true)
  })

  it('keeps the picture it has until another was told in full', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('a', 'b') })
    fleet.told({ isReset: true, rows: [aDriftedRow('a')] })
    assert.deepEqual(fleet.servers(), ['a', 'b'])
    assert.equal(fleet.read().rows[0]?.sync_status, 'SYNCED')
    fleet.told({ rows: rowsNamed('c') })
    fleet.told({ isComplete: true })
    assert.deepEqual(fleet.servers(), ['a', 'c'])
    assert.equal(fleet.read().rows[0]?.sync_status, 'OUT_OF_SYNC')
  })

  it('follows on after a new picture', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('a') })
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('b') })
    fleet.told({ rows: rowsNamed('c') })
    assert.deepEqual(fleet.servers(), ['b', 'c'])
  })

  it('starts again from nothing when a picture was broken off by another', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('a') })
    fleet.told({ isReset: true, rows: rowsNamed('ghost') })
    fleet.told({ isReset: true, rows: rowsNamed('b'), isComplete: true })
    assert.deepEqual(fleet.servers(), ['b'])
  })

  it('forgets what was removed, also out of a picture on its way', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('a', 'b') })
    fleet.told({ removed: [{ repo: 'rsyslog', server: 'a' }] })
    assert.deepEqual(fleet.servers(), ['b'])
    fleet.told({ isReset: true, rows: rowsNamed('b', 'c') })
    fleet.told({ removed: [{ repo: 'rsyslog', server: 'b' }], isComplete: true })
    assert.deepEqual(fleet.servers(), ['c'])
  })

  it('is the same object until something is told, and the same rows until one of them changes', () => {
    const fleet = aFleet()
    fleet.told({ isReset: true, isComplete: true, rows: rowsNamed('a') })
    const before = fleet.read()
    assert.equal(fleet.read(), before)
    fleet.told({ connection: 'reconnecting' })
    const after = fleet.read()
    assert.equal(after.connection, 'reconnecting')
    assert.equal(after.rows, before.rows)
    fleet.told({ rows: rowsNamed('a') })
    assert.notEqual(fleet.read().rows, before.rows)
    assert.equal(before.rows.length, 1)
  })

  it('tells targets of two repositories apart whose names run together', () => {
    const fleet = aFleet()
    fleet.told({ rows: [aRow({ repo: 'a', server: 'b/c' }), aRow({ repo: 'a/b', server: 'c' })], isComplete: true })
    assert.equal(fleet.read().rows.length, 2)
  })
})
