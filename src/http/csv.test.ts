import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type from 'typebox'
import { csvOf } from './csv.ts'

const ROW = Type.Object({ name: Type.String(), count: Type.Number() })

async function cellOf(name: string): Promise<string> {
  const [, line = ''] = (await csvOf(ROW, [{ name, count: 1 }])).split(/^name,count\r\n/)
  return line.replace(/,1\r\n$/, '')
}

describe('a cell of CSV', () => {
  const CELLS: [string, string][] = [
    ['rsyslog.conf', 'rsyslog.conf'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['', ''],
    ['Zürich 🚀', 'Zürich 🚀'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-rf', "'-rf"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r\'=1"'],
    ['\n=1', '"\'\n\'=1"'],
    ['\u0000=1', "'\u0000=1"],
    ['＝1+1', "'＝1+1"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ['a=1', 'a=1'],
    ['a;=1+1', "a;'=1+1"],
    ['a;b', 'a;b'],
    ['a\n=1', '"a\n\'=1"'],
    ['a; -1', "a;' -1"],
    ['a;\t=1', "a;'\t=1"],
    ['a;"=1', '"a;\'""=1"'],
    ['=1;=2;=3', "'=1;'=2;'=3"],
  ]
  for (const [text, cell] of CELLS) {
    it(`is ${JSON.stringify(cell)} for ${JSON.stringify(text)}`, async () => assert.equal(await cellOf(text), cell))
  }
})

describe('rows as CSV', () => {
  it('have the columns of the schema in its order, and nothing where nothing is known', async () => {
    assert.equal(
      await csvOf(ROW, [
        { count: -2, name: 'a' },
        { name: null, count: 0 },
      ]),
      'name,count\r\na,-2\r\n,0\r\n',
    )
  })

  it('are a head row when there are none', async () => {
    assert.equal(await csvOf(ROW, []), 'name,count\r\n')
  })
})
