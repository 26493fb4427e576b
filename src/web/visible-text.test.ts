import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { visiblePieces, visibleText } from './visible-text.ts'

describe('a text from outside', () => {
  const SHOWN: Record<string, string> = {
    'rsyslog.d/30-lab.conf': 'rsyslog.d/30-lab.conf',
    'a file (1), é, 日本, עברית, 🚨': 'a file (1), é, 日本, עברית, 🚨',
    'photo_exe.\u202egpj': 'photo_exe.[U+202E]gpj',
    'a\u200bb': 'a[U+200B]b',
    'a\u200e\u200f\u2066\u2069b': 'a[U+200E U+200F U+2066 U+2069]b',
    '\ufeffa': '[U+FEFF]a',
    'soft\u00adhyphen': 'soft[U+00AD]hyphen',
    'filler\u3164': 'filler[U+3164]',
    'blank\u2800': 'blank[U+2800]',
    'not\u00a0a\u2003space': 'not[U+00A0]a[U+2003]space',
    'bell\u0007, \u009b31m, \u007f': 'bell[U+0007], [U+009B]31m, [U+007F]',
    'two\r\nlines\tand a tab': 'two[U+000D U+000A]lines[U+0009]and a tab',
    'half \ud800': 'half [U+D800]',
    'tag\u{e0041}': 'tag[U+E0041]',
    ' before and after  ': '[U+0020]before and after [U+0020]',
    '\u0301a': '[U+0301]a',
    'e\u0301\u0302\u0303\u0304\u0305\u0306': 'e\u0301\u0302\u0303\u0304[U+0305 U+0306]',
    '': '',
  }
  for (const [text, shown] of Object.entries(SHOWN)) {
    it(`shows ${JSON.stringify(text)} as ${JSON.stringify(shown)}`, () => assert.equal(visibleText(text), shown))
  }

  it('keeps tabs and line ends where it has lines, and shows the rest', () => {
    assert.equal(visibleText(' a\tb\r\n\u202ec ', true), ' a\tb[U+000D]\n[U+202E]c ')
  })

  it('says of what comes a thousand times how often it does', () => {
    assert.equal(visibleText(`a${'\u200b'.repeat(1_000)}\u200c`), 'a[U+200B×1000 U+200C]')
  })

  it('holds nothing that could hide or turn what is around it, and can be read back', () => {
    fc.assert(
      fc.property(fc.array(CHARS, { maxLength: 20 }), (chars) => {
        const text = chars.join('')
        const pieces = visiblePieces(text)
        for (const piece of pieces) assert.doesNotMatch(piece.text, CONTROL)
        assert.equal(pieces.map((piece) => (piece.isMark ? charsOf(piece.text) : piece.text)).join(''), text)
      }),
    )
  })

  it('takes a time that grows with its length alone', () => {
    const text = `${' '.repeat(200_000)}a${'\u0301'.repeat(200_000)}`
    assert.ok(visibleText(text).length < text.length)
  })
})

const CHARS = fc.constantFrom(
  ...Array.from(
    'ab é日א🚨 \u0000\u0007\t\n\u0085\u00a0\u0301\u200b\u200f\u202e\u2066\u2028\u3164\ufe0f\ufeff\uffff\u{e0041}',
  ),
)
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

function charsOf(mark: string): string {
  return mark
    .split(' ')
    .map((code) => {
      const [hex = '', times = '1'] = code.slice(2).split('×')
      return String.fromCodePoint(Number.parseInt(hex, 16)).repeat(Number(times))
    })
    .join('')
}
