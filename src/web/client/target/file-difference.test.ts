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

  it('marks nothing where not as many lines came as went and none is like another', () => {
    assert.deepEqual(shown('-one\n-two\n+three'), ['removed: one', 'removed: two', 'added: three'])
  })

  it('marks what changed in the lines that are most alike where more lines came than went, or fewer', () => {
    assert.deepEqual(shown('-  listen 80;\n+  # for all\n+  listen 8080;\n+  listen 8443 ssl;'), [
      'removed:   listen [80];',
      'added:   # for all',
      'added:   listen [8080];',
      'added:   listen 8443 ssl;',
    ])
    assert.deepEqual(shown('-a = 1\n-b = 2\n-c = 3\n+a = 5\n+c = 6'), [
      'removed: a = [1]',
      'removed: b = 2',
      'removed: c = [3]',
      'added: a = [5]',
      'added: c = [6]',
    ])
  })

  it('marks what is between the ends of long lines', () => {
    const long = 'x '.repeat(2_000)
    assert.deepEqual(shown(`-${long}one y\n+${long}two y`), [`removed: ${long}[one] y`, `added: ${long}[two] y`])
    assert.deepEqual(shown(`-${long}\n+${long}${long}`)[0], `removed: ${long}`)
    assert.deepEqual(shown(`-${long}\u{1f6a8}\n+${long}\u{1f6a9}`)[0], `removed: ${long}[\u{1f6a8}]`)
  })

  it('takes what is said of a line, or of the difference, for no line of the file', () => {
    const text = '@@ -1 +1 @@\n-a 1\n\\ No newline at end of file\n+a 2\n\\ Cut here: 7 more lines\n'
    assert.deepEqual(shown(text), [
      'place: @@ -1 +1 @@',
      'removed: a [1]',
      'note: No newline at end of file',
      'added: a [2]',
      'note: Cut here: 7 more lines',
    ])
    assert.deepEqual(shown('\\ Left out: more than 104448 bytes'), ['note: Left out: more than 104448 bytes'])
  })

  it('compares no more lines with each other than one can wait for', () => {
    const lines = (sign: string, count: number, value: string) =>
      Array.from({ length: count }, (_, n) => `${sign}key ${n} = ${value}`).join('\n')
    const marked = (count: number) =>
      shown(`${lines('-', count, 'old')}\n${lines('+', count + 1, 'new')}`).filter((line) => line.includes('['))
    assert.equal(marked(40).length, 80)
    assert.equal(marked(60).length, 0)
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
