import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CANARIES } from '../../test/redaction/canaries.ts'
import { fingerprintMark } from '../redaction/fingerprint.ts'
import { redactDifference } from '../redaction/redact.ts'
import { fileDifference } from './file-difference.ts'

const mark = fingerprintMark('a key', 'rsyslog')
const needs = { vaulted: [], mark }

describe('the difference of a file', () => {
  it('goes from what Git has to what the server has', () => {
    const text = { git: 'a\nb\nc\n', server: 'a\nB\nc\n' }
    assert.equal(fileDifference([text], needs), '--- in Git\n+++ on the server\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c')
  })

  it('shows that a secret changed, and not what it was or is', () => {
    const difference = fileDifference([{ git: 'password = kestrel\n', server: 'password = falcon\n' }], needs)
    const [, before, after] = /-password = (.*)\n\+password = (.*)$/.exec(difference) ?? []
    assert.ok(before !== undefined && before !== after, difference)
    assert.doesNotMatch(difference, /kestrel|falcon/)
  })

  it('shows that lines differ even where nothing of how they differ is left', () => {
    const texts = [{ git: 'password = kestrel\n', server: 'password = falcon\n' }]
    const difference = fileDifference(texts, { vaulted: [], mark: () => '‹redacted›' })
    assert.match(difference, /\n-password = ‹redacted›\n\+password = ‹redacted›$/)
  })

  it('knows a secret by a name that stands far above it', () => {
    const git = `secrets:\n${'  # a line\n'.repeat(20)}  first: kestrel\n`
    assert.doesNotMatch(fileDifference([{ git, server: git.replace('kestrel', 'falcon') }], needs), /kestrel|falcon/)
  })

  it('shows what each of several tasks would change', () => {
    const server = 'a\n'
    const difference = fileDifference(
      [
        { server, git: 'a\nb\n' },
        { server, git: 'c\na\n' },
      ],
      needs,
    )
    assert.equal(difference, '--- in Git\n+++ on the server\n@@ -1,2 +1 @@\n a\n-b\n@@ -1,2 +1 @@\n-c\n a')
  })

  it('hides what a vault knows, and what stands in its place', () => {
    const texts = [{ git: 'x\nsend to kestrel\ny\n', server: 'x\nsend to falcon\ny\n' }]
    const difference = fileDifference(texts, { vaulted: ['kestrel'], mark: () => '‹redacted›' })
    assert.match(difference, /\n x\n-send to ‹redacted›\n\+send to ‹redacted›\n y$/)
  })

  it('moves no cursor, and shows a line that ends in another way', () => {
    const texts = [{ git: 'a\n', server: 'a\r\n\u001b[2J\udcff\n' }]
    assert.match(fileDifference(texts, needs), /\n-a\n\+a\\x0d\n\+\\x1b\[2J\\xff$/)
  })

  it('is as long as a report may carry, and says what was cut', () => {
    const server = Array.from({ length: 20_000 }, (_, number) => `line ${number}\n`).join('')
    const difference = fileDifference([{ git: '', server }], needs)
    const cut = Number(/\n\\ Cut here: (\d+) more lines$/.exec(difference)?.[1])
    assert.ok(difference.length <= 65_536)
    assert.equal(difference.split('\n').length - 4 + cut, 20_000)
  })

  it('holds nothing of a secret, whatever its shape, and nothing that the server would redact', () => {
    const canary = fc.constantFrom(...CANARIES)
    fc.assert(
      fc.property(fc.array(canary, { minLength: 1, maxLength: 3 }), fc.boolean(), (several, isNew) => {
        const text = {
          server: several.map(({ server }) => server.text).join(''),
          git: several.map(({ git }) => git.text).join(''),
        }
        const difference = fileDifference([isNew ? { ...text, server: '' } : text], needs)
        for (const secret of several.flatMap(({ server, git }) => [...server.secrets, ...git.secrets])) {
          assert.ok(!difference.includes(secret), `${secret} is in\n${difference}`)
        }
        assert.equal(redactDifference(difference), difference)
      }),
      { numRuns: 200 },
    )
  })
})
