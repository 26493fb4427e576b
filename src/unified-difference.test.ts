import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { unifiedDifference } from './unified-difference.ts'

const text = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 }), fc.boolean())
  .map(([lines, ends]) => lines.join('\n') + (ends ? '\n' : ''))

/** As patch would: every line that is kept or taken away must be there. */
function applied(before: string, difference: string): string {
  const old = before === '' ? [] : before.split(/(?<=\n)/)
  const result: string[] = []
  let at = 0
  const lines = difference.split('\n')
  for (const [index, line] of lines.slice(2).entries()) {
    const header = /^@@ -(\d+)(?:,(\d+))? [+](\d+)(?:,(\d+))? @@$/.exec(line)
    if (header) {
      const first = Number(header[1]) - (header[2] === '0' ? 0 : 1)
      result.push(...old.slice(at, first))
      at = first
      assert.equal(result.length, Number(header[3]) - (header[4] === '0' ? 0 : 1), 'the place on the new side')
      continue
    }
    if (line.startsWith('\\')) continue
    const content = line.slice(1) + (lines[index + 3]?.startsWith('\\') ? '' : '\n')
    if (!line.startsWith('+')) assert.equal(old[at++], content)
    if (!line.startsWith('-')) result.push(content)
  }
  return [...result, ...old.slice(at)].join('')
}

describe('unifiedDifference', () => {
  it('makes one text of the other, whatever they are', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const difference = unifiedDifference('x', before, after)
        assert.equal(before === after ? before : applied(before, difference), after)
      }),
      { numRuns: 2_000 },
    )
  })

  it('shows what diff -u shows', () => {
    const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n'
    const after = '1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13'
    assert.equal(
      unifiedDifference('a.yml', before, after),
      `--- a/a.yml
+++ b/a.yml
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
@@ -10,3 +10,4 @@
 10
 11
 12
+13
\\ No newline at end of file`,
    )
  })

  it('is quick with long files that have little in common', { timeout: 10_000 }, () => {
    const lines = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word} ${index}\n`).join('')
    const [before, after] = [lines('a'), lines('b')]
    assert.equal(applied(before, unifiedDifference('x', before, after)), after)
  })
})
