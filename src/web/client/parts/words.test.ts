import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aRow } from '../../../../test/web/a-row.ts'
import { CAUSE_WORD } from './cause.ts'
import { CAUSE_NAMES, CAUSES } from './words.ts'

describe('the causes that can be filtered by', () => {
  it('hold each cause of drift once, in the word that rows and files show', () => {
    for (const [cause, word] of Object.entries(CAUSE_WORD) as [keyof typeof CAUSE_WORD, string][]) {
      const row = aRow({ sync_status: 'OUT_OF_SYNC', cause })
      const found = CAUSE_NAMES.filter((name) => CAUSES[name].isOf(row))
      assert.deepEqual(
        found.map((name) => [name, CAUSES[name].word.toLowerCase()]),
        [[cause.toLowerCase(), word.toLowerCase()]],
      )
    }
  })
})
