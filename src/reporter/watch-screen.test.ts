import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDrift, aVerdict } from '../../test/reporter/evidence-builder.ts'
import { checkError } from '../drift/check-error.ts'
import type { Verdict } from '../drift/judge.ts'
import { painter } from './plan.ts'
import { createWatchScreen } from './watch-screen.ts'

const AT = new Date('2026-04-21T10:00:00Z')
const SYNCED = aVerdict({ host: 'web1', check: { method: 'fast' } })
const DRIFTED: Verdict = { ...SYNCED, status: 'OUT_OF_SYNC', drift: [aDrift({ path: '/etc/a\u001b[2J.conf' })] }

function shown({ quiet = false, rows = 0 } = {}) {
  const out: string[] = []
  const err: string[] = []
  const screen = createWatchScreen({
    repo: 'app',
    console: { out: (line) => out.push(line.slice(10)), err: (line) => err.push(line.slice(10)) },
    paint: painter(false),
    quiet,
    now: () => AT,
    ...(rows > 0 && { screen: { size: () => ({ rows, columns: 80 }), write: (text: string) => out.push(text) } }),
  })
  return { ...screen, out, err }
}

describe('what a watch shows', () => {
  it('is a line for each change, and none for what stays', () => {
    const { told, left, out, err } = shown()
    told(SYNCED, AT)
    told(SYNCED, AT)
    told(DRIFTED, AT)
    told({ ...DRIFTED, check: { method: 'full' } }, AT)
    told({ ...SYNCED, status: 'UNKNOWN', error: checkError('unreachable', 'no\u009broute') }, AT)
    told({ ...SYNCED, check: { method: 'full', disagreement: 'one says this' } }, AT)
    left('web1')
    assert.deepEqual(out, [
      'web1: SYNCED',
      'web1: OUT_OF_SYNC  /etc/a\\x1b[2J.conf (not confirmed yet)',
      'web1: OUT_OF_SYNC  /etc/a\\x1b[2J.conf',
      'web1: UNKNOWN  unreachable: The server could not be reached: no route',
      'web1: SYNCED  the two checks disagree: one says this',
    ])
    assert.deepEqual(err, ['web1 left the inventory'])
  })

  it('is nothing when all is well and nobody wants to hear that', () => {
    const { told, begun, out, err } = shown({ quiet: true })
    begun(() => new Map())
    told(SYNCED, AT)
    told(DRIFTED, AT)
    assert.deepEqual([out.length, err.length], [1, 0])
  })

  it('is a table on a screen, the worst first, and no longer than the screen', () => {
    const { told, begun, said, stop, out } = shown({ rows: 12 })
    const hosts = Array.from({ length: 40 }, (_, n) => `web${n}`)
    begun(() => new Map(hosts.map((host) => [host, 'watching'])))
    for (const host of hosts) told({ ...(host === 'web39' ? DRIFTED : SYNCED), host }, AT)
    said('git pull does not work: \u001b[31mno')
    stop()
    const lines = (out.at(-1) ?? '').split('\n').map((line) => line.replace(/\u001b\[[HJK]/g, '').trimEnd())
    assert.equal(lines[0], 'app  40 servers, 1 OUT_OF_SYNC, 39 SYNCED')
    assert.match(
      lines[3] ?? '',
      /^web39 +OUT_OF_SYNC +0 s ago +0 s ago +\/etc\/a\\x1b\[2J\.conf \(not confirmed yet\)$/,
    )
    assert.ok(lines.some((line) => /^… and \d+ more$/.test(line)))
    assert.ok(lines.some((line) => line.endsWith('git pull does not work: no')))
    assert.ok(lines.length <= 12, String(lines.length))
  })
})
