import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { watchedWords } from './watched.ts'

describe('what is watched', () => {
  const ROWS = [
    [
      { checked: 47, watched: 41, unwatched: 6 },
      '14 min ago',
      '41 of 47 tasks watched, 6 only by the full check 14 min ago',
    ],
    [{ checked: 47, watched: 47, unwatched: 0 }, '14 min ago', '47 of 47 tasks watched, full check 14 min ago'],
    [{ checked: 1, watched: 0, unwatched: 1 }, null, '0 of 1 task watched, 1 only by the full check'],
    [{ checked: 47, watched: null, unwatched: null }, null, null],
  ] as const
  for (const [row, fullCheck, words] of ROWS) {
    it(`is told as: ${words ?? 'nothing'}`, () => assert.equal(watchedWords(row, fullCheck), words))
  }
})
