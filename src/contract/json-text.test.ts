import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../domain/fault.ts'
import { parseJson } from './json-text.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function refusal(body: Uint8Array): string {
  try {
    parseJson(body)
  } catch (error) {
    assert.ok(error instanceof Fault)
    assert.equal(error.code, 'malformed_body')
    return error.message
  }
  assert.fail('was accepted')
}

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value)
        assert.deepEqual(parseJson(bytes(text)), JSON.parse(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('throws nothing but its fault, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        try {
          parseJson(body)
        } catch (error) {
          assert.ok(error instanceof Fault)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  const TWICE = {
    'at the top': '{"a":1,"a":2}',
    'in an inner object': '{"files":[{"name":"a","name":"b"}]}',
    'with other keys between': '{"a":1,"b":{"a":1},"a":1}',
    'written in two ways': String.raw`{"a":1,"\u0061":2}`,
    'around white space': '{"a" :1,\n"a"\t: 2}',
    'as __proto__': '{"__proto__":1,"__proto__":2}',
  }
  for (const [where, text] of Object.entries(TWICE)) {
    it(`refuses the same key twice ${where}`, () => {
      assert.match(refusal(bytes(text)), /twice in one object/)
    })
  }

  it('refuses exactly the texts that have a key twice, wherever it stands and however it is written', () => {
    interface Written {
      readonly text: string
      readonly isTwice: boolean
    }
    const space = fc.constantFrom('', '', ' ', '\n\t')
    const key = fc.constantFrom('a', 'b', '__proto__', ':', '"', '\\', '{', '1').map((name) => ({
      name,
      text: name === 'a' ? String.raw`"\u0061"` : JSON.stringify(name),
    }))
    const { value } = fc.letrec<{ value: Written; object: Written; array: Written }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"a"', '":"', String.raw`"\\"`, String.raw`"\":{"`, 'null').map((text) => ({
          text,
          isTwice: false,
        })),
        tie('object'),
        tie('array'),
      ),
      object: fc.array(fc.tuple(key, space, tie('value')), { maxLength: 4 }).map((entries) => ({
        text: `{${entries.map(([key, space, { text }]) => `${space}${key.text}${space}:${space}${text}`).join(',')}}`,
        isTwice:
          new Set(entries.map(([{ name }]) => name)).size < entries.length ||
          entries.some(([, , { isTwice }]) => isTwice),
      })),
      array: fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
        text: `[${items.map(({ text }) => text).join(',')}]`,
        isTwice: items.some(({ isTwice }) => isTwice),
      })),
    }))
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(value, ({ text, isTwice }) => {
        seen[`${isTwice}`]++
        if (isTwice) assert.match(refusal(bytes(text)), /twice in one object/)
        else parseJson(bytes(text))
      }),
      { numRuns: 5_000 },
    )
    assert.ok(seen.true > 200 && seen.false > 200, JSON.stringify(seen))
  })

  it('takes the same key in different objects, and a value that looks like a key', () => {
    assert.deepEqual(parseJson(bytes('[{"a":"a"},{"a":"\\"a\\":"}]')), [{ a: 'a' }, { a: '"a":' }])
  })

  it('refuses bytes that are not UTF-8 instead of replacing them', () => {
    assert.match(refusal(new Uint8Array([0x22, 0xff, 0x22])), /not UTF-8/)
    assert.match(refusal(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])), /not UTF-8/) // a surrogate on its own
  })

  it('refuses a byte order mark', () => {
    assert.match(refusal(bytes('\ufeff{}')), /not JSON/)
  })

  it('refuses a depth of 50,000 without being exhausted by it', () => {
    assert.match(refusal(bytes('['.repeat(50_000))), /nested deeper than 8/)
    assert.match(refusal(bytes('{"a":'.repeat(50_000))), /nested deeper than 8/)
  })

  it('does not count brackets in a string as depth', () => {
    assert.equal(parseJson(bytes(JSON.stringify('['.repeat(100)))), '['.repeat(100))
  })

  it('says where the text stops being JSON', () => {
    assert.match(refusal(bytes('{"repo": rsyslog}')), /not JSON: Unexpected token/)
  })
})
