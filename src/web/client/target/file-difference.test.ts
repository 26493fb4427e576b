import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { linesOfDifference } from './file-difference.ts'

// As much as a report may carry for one file.
const LONGEST = 65_536

/** With brackets round what is marked. */
function shown(text: string): string[] {
  return linesOfDifference(text).map(
    ({ kind, parts }) =>
      `${kind}: ${parts.map(({ text: part, isMarked }) => (isMarked ? `[${part}]` : part)).join('')}`,
  )
}

describe('a difference', () => {
  it('is read line by line, and marks the words that changed', () => {
    const text = [
      '--- a/rsyslog.conf',
      '+++ b/rsyslog.conf',
      '@@ -1,3 +1,3 @@',
      ' module(load="imuxsock")',
      '-*.info @loghost:514',
      '+*.info @otherhost:514',
      ' # end',
      '',
    ].join('\n')
    assert.deepEqual(shown(text), [
      'place: --- a/rsyslog.conf',
      'place: +++ b/rsyslog.conf',
      'place: @@ -1,3 +1,3 @@',
      'same: module(load="imuxsock")',
      'removed: *.info @[loghost]:514',
      'added: *.info @[otherhost]:514',
      'same: # end',
    ])
  })

  it('marks nothing where not as many lines came as went', () => {
    assert.deepEqual(shown('-one\n-two\n+three'), ['removed: one', 'removed: two', 'added: three'])
  })

  it('begins a new change where a line goes after others came', () => {
    assert.deepEqual(shown('+one\n-two\n+too'), ['added: one', 'removed: [two]', 'added: [too]'])
  })

  it('keeps white space, and what looks like markup, as they are', () => {
    assert.deepEqual(shown(' \t<b>&amp;\r'), ['same: \t<b>&amp;\r'])
  })

  it('loses and invents no character of a line, whatever the text', () => {
    const line = fc.tuple(fc.constantFrom('-', '+', ' '), fc.string({ unit: 'grapheme' }).map(oneLine))
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.map(([sign, rest]) => `${sign}x${rest}`).join('\n')
        const back = linesOfDifference(text).map(({ parts }) => parts.map((part) => part.text).join(''))
        assert.deepEqual(back.toSorted(), lines.map(([, rest]) => `x${rest}`).toSorted())
      }),
    )
  })

  it('compares no words in lines that are too long for it', () => {
    const long = 'a b '.repeat(LONGEST / 10)
    assert.ok(linesOfDifference(`-${long}\n+${long}c`).every(({ parts }) => parts.length === 1))
  })

  for (const [what, text] of Object.entries({
    'one line': '-'.repeat(LONGEST),
    'nothing but line ends': '\n'.repeat(LONGEST),
    'nothing but removed lines': '-\n'.repeat(LONGEST / 2),
    'lines that go and come in turns': '-\n+\n'.repeat(LONGEST / 4),
    'lines in which every word differs': Array.from({ length: 60 }, (_, n) =>
      [`-${words(n)}`, `+${words(n + 1)}`].join('\n'),
    ).join('\n'),
  })) {
    it(`of the longest text that a report may carry is read to its end: ${what}`, () => {
      assert.ok(Array.isArray(linesOfDifference(text)))
    })
  }

  it('takes a removed comment of SQL for what it is, not for the name of a file', () => {
    const kinds = linesOfDifference('--- a\n+++ b\n@@ -1,2 +1,1 @@\n--- drop it\n same').map(({ kind }) => kind)
    assert.deepEqual(kinds, ['place', 'place', 'place', 'removed', 'same'])
  })
})

function oneLine(text: string): string {
  return text.replaceAll('\n', '')
}

function words(seed: number): string {
  return Array.from({ length: 250 }, (_, n) => ((n * 7_919 + seed * 31) % 97).toString(36)).join(' ')
}
