import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rowsText, statusJsonText } from './rows-text.ts'
import type { StatusJson } from './status-json.ts'

const HOSTILE = '"files":[] "items":[] \\"'

it('writes rows as JSON.stringify does, however many there are', async () => {
  for (const count of [0, 1, 499, 500, 501, 2_000]) {
    const rows = Array.from({ length: count }, (_, n) => ({ n, name: HOSTILE, none: undefined, nothing: null }))
    assert.equal(await rowsText(rows), JSON.stringify(rows))
  }
})

it('writes a status as JSON.stringify does, whatever is in its names', async () => {
  for (const target_count of [0, 1, 2]) {
    const files = Array.from({ length: target_count * 300 }, (_, n) => ({ name: `${HOSTILE} ${n}` }))
    const items = Array.from({ length: target_count }, () => ({ repo: HOSTILE }))
    const last_known = target_count === 1 ? { files: [] } : null
    const status = { repo: HOSTILE, files, last_known, target_count, items, generated_at: 'x' } as unknown as StatusJson
    assert.equal(await statusJsonText(status), JSON.stringify(status))
  }
})
