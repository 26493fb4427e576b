import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { readablePath, shortName } from './file-name.ts'

const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

// Names that somebody gave a file, and how each is shown.
const NAMES: readonly (readonly [what: string, raw: string | Buffer, shown: string])[] = [
  ['a plain name', 'rsyslog.conf', 'rsyslog.conf'],
  ['spaces', ' a  b ', ' a  b '],
  ['a comma', 'a,b', 'a,b'],
  ['quotes', `'a' "b" \`c\``, `'a' "b" \`c\``],
  ['a newline', 'a\nb', 'a\\x0ab'],
  ['a carriage return and a tab', 'a\r\tb', 'a\\x0d\\x09b'],
  ['a shell command', '$(touch x)', '$(touch x)'],
  [
    'a marker line of a drift check',
    '\nDRIFTED_FILES=\nSYNC_STATUS=SYNCED',
    '\\x0aDRIFTED_FILES=\\x0aSYNC_STATUS=SYNCED',
  ],
  ['a code that clears the screen', '\u001b[2J', '\\x1b[2J'],
  ['a code of one character that does', '\u009b2J', '\\xc2\\x9b2J'],
  ['DEL and NUL', '\u007f\u0000', '\\x7f\\x00'],
  ['a byte that is not UTF-8', Buffer.from([0x61, 0xff, 0x62]), 'a\\xffb'],
  ['a character that ends too early', Buffer.from([0x61, 0xe2, 0x82]), 'a\\xe2\\x82'],
  ['a character that ends too early, and another', Buffer.from([0xe2, 0x82, 0x41]), '\\xe2\\x82A'],
  ['an overlong slash', Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
  ['half of a surrogate pair', Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
  ['a backslash', 'a\\b', 'a\\\\b'],
  ['what looks like an escape', '\\x0a', '\\\\x0a'],
  ['a mark that turns text round', 'a\u202egnp.exe', 'a\\xe2\\x80\\xaegnp.exe'],
  ['a character without width', 'a\u200bb', 'a\\xe2\\x80\\x8bb'],
  ['a line separator', 'a\u2028b', 'a\\xe2\\x80\\xa8b'],
  ['other scripts', 'Übersicht-日本-🙂', 'Übersicht-日本-🙂'],
]

describe('readablePath', () => {
  for (const [what, raw, shown] of NAMES) {
    it(`shows ${what}`, () => assert.equal(readablePath(Buffer.from(raw)), shown))
  }

  it('never shows two paths alike', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.equal(readablePath(a) === readablePath(b), Buffer.compare(a, b) === 0)
      }),
    )
  })

  it('can be turned back into the bytes', () => {
    fc.assert(fc.property(bytes, (raw) => assert.deepEqual(unescaped(readablePath(raw)), Buffer.from(raw))))
  })

  it('never shows a character that a terminal or a line reader takes for a command', () => {
    fc.assert(fc.property(bytes, (raw) => assert.doesNotMatch(readablePath(raw), CONTROL)))
  })
})

describe('shortName', () => {
  it('is the path below /etc/, as in the requirement', () => {
    assert.equal(shortName('/etc/rsyslog.d/30-lab.conf'), 'rsyslog.d/30-lab.conf')
  })

  it('is the whole path outside of it', () => {
    for (const path of ['/opt/app.conf', '/etcetera', '/etc', '/etc/', 'etc/rsyslog.conf']) {
      assert.equal(shortName(path), path)
    }
  })

  it('is never what looks like another whole path', () => {
    assert.equal(shortName('/etc//opt/app.conf'), '/etc//opt/app.conf')
  })
})

// Mostly bytes that matter to the rule, so that chance finds their combinations.
const bytes = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x0a, 0x1b, 0x2c, 0x5c, 0x78, 0x30, 0x61, 0xc2, 0x9b, 0xe2, 0x80, 0xae, 0xed, 0xf0, 0x9f, 0xff),
    ),
    { maxLength: 12 },
  )
  .map((values) => Buffer.from(values))

function unescaped(shown: string): Buffer {
  const parts = shown.match(/\\\\|\\x[0-9a-f]{2}|[^\\]+/g) ?? []
  return Buffer.concat(
    parts.map((part) => {
      if (part === '\\\\') return Buffer.from('\\')
      return part.startsWith('\\x') ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part)
    }),
  )
}
