import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { shellWords } from './shell-words.ts'

describe('shellWords', () => {
  it("splits Ansible's own default", () => {
    assert.deepEqual(shellWords('-C -o ControlMaster=auto -o ControlPersist=60s'), [
      ...['-C', '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60s'],
    ])
  })

  it('keeps together what is quoted', () => {
    assert.deepEqual(shellWords(`-o 'ProxyCommand=ssh -W "%h" gate' "a\\"b"c\\ d ''`), [
      ...['-o', 'ProxyCommand=ssh -W "%h" gate', 'a"bc d', ''],
    ])
  })

  it('is null where a quote has no end', () => {
    for (const text of [`'a`, `"a`, `a\\`, `-o "b`]) assert.equal(shellWords(text), null, text)
  })

  it('splits as a shell does', () => {
    // Neither variables nor patterns: Ansible knows none either.
    const part = fc.constantFrom('a', 'ö', ' ', '\t', "'", '"', '\\', '%', '=', '-')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const words = shellWords(text)
        if (words === null) return
        assert.deepEqual(words, asShellReads(text))
      }),
      { numRuns: 60 },
    )
  })
})

function asShellReads(text: string): string[] {
  const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' x ${text}`], { encoding: 'utf8' })
  return printed.split('\0').slice(1, -1)
}
