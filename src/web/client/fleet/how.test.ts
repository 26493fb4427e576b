import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DriftedFile } from '../../../contract/report.ts'
import { howWords } from './how.ts'

describe('how a file differs', () => {
  const SAID: Readonly<Record<string, Omit<DriftedFile, 'name'>>> = {
    content: { change: 'modified' },
    'content, mode 0644 → 0600': { change: 'modified', expected: { mode: '0644' }, actual: { mode: '0600' } },
    'owner root → adm, group root → adm': {
      change: 'metadata',
      expected: { mode: '0644', owner: 'root', group: 'root' },
      actual: { mode: '0644', owner: 'adm', group: 'adm' },
    },
    'content, type file → link': {
      expected: { sha256: 'a'.repeat(64), type: 'file' },
      actual: { sha256: 'b'.repeat(64), type: 'link' },
    },
    'mode or owner': { change: 'metadata', expected: { mode: '0644' }, actual: { owner: 'root' } },
    'missing on the server': { change: 'missing', expected: { mode: '0644' } },
    'extra: not in Git': { change: 'extra' },
    'not a file: a task': { kind: 'resource', change: 'modified' },
    '': {},
  }
  for (const [words, file] of Object.entries(SAID)) {
    it(`is told as "${words}" for ${JSON.stringify(file).slice(0, 80)}`, () => assert.equal(howWords(file), words))
  }
})
