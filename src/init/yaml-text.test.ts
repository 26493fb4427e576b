import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { yamlMap, yamlText } from './yaml-text.ts'

describe('yamlText', () => {
  it('is read back as the same text, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.webUrl()), (text) => {
        // A lone surrogate is no character, and YAML has none.
        assert.deepEqual(parse(yamlMap([['name', text.toWellFormed()]], 2).join('\n')), { name: text.toWellFormed() })
      }),
    )
  })

  it('is read back as text where it looks like something else', () => {
    for (const text of [
      '',
      'true',
      'no',
      '~',
      'null',
      '1',
      '1e3',
      '0x1F',
      '2026-04-21',
      '.5',
      '- a',
      'a: b',
      'a #b',
      '*a',
      '&a',
    ]) {
      assert.equal(parse(yamlText(text)), text)
      assert.equal(parse(yamlText(text), { version: '1.1' }), text, `${text} in YAML 1.1`)
    }
  })

  it('leaves out the quotes where a person would', () => {
    for (const text of [
      'rsyslog',
      'http://a.example.org:80',
      'ansible.cfg',
      '-o A=b -o C=d'.slice(3),
      'reg:5000/a/b:1.0',
    ])
      assert.equal(yamlText(text), text)
  })
})
