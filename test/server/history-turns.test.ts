import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { createHistory, type History } from '../../src/history/history.ts'
import { EVERYTHING } from '../../src/snapshot/selection.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { aReceived } from './a-report.ts'

const TARGETS = 5_000
const FROM = new Date('2026-04-21T10:00:00Z')
const TO = new Date('2026-04-21T10:10:00Z')
const SPAN = { targets: null, from: FROM, to: TO, status: null }

/** How often the event loop came round while something was done that waits for nothing. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  setImmediate(function count() {
    if (isDone) return
    turns++
    setImmediate(count)
  })
  await work()
  isDone = true
  return turns
}

describe('reading the past of a fleet', () => {
  let history: History
  before(async () => {
    const store = createMemoryStore()
    for (const [minute, name] of ['a', 'b'].entries()) {
      const last_check = `2026-04-21T10:0${minute}:00Z`
      const reports = Array.from({ length: TARGETS }, (_, n) =>
        aReceived({ server: `server-${n}`, last_check, files: n % 2 === minute ? [{ name }] : [] }),
      )
      await store.append(reports)
    }
    history = createHistory(store, () => TO)
  })

  const READS: Record<string, (history: History) => Promise<unknown>> = {
    'the status of a moment': ({ statusJson }) => statusJson({ ...EVERYTHING, isNamed: null }, FROM),
    'the rows of a moment': ({ statusRows }) => statusRows({ ...EVERYTHING, isNamed: null }, FROM),
    'the files of a moment': ({ fileRows }) => fileRows({ ...EVERYTHING, isNamed: null }, FROM),
    'a graph': ({ graph }) => graph({ ...SPAN, stepMs: null, maxPoints: 5 }),
    transitions: ({ transitions }) => transitions(SPAN),
  }
  for (const [what, read] of Object.entries(READS)) {
    it(`leaves the event loop its turns: ${what}`, async () => {
      const turns = await turnsOf(() => read(history))
      assert.ok(turns >= TARGETS / 500, `${turns} turns`)
    })
  }
})
