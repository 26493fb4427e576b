import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePeople } from './people.ts'

// Made by ssh-keygen, with the fingerprint that `ssh-keygen -l` and sshd's log give it.
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBCoWom6tS1mUSJfz8FGTzYaATGmV8uvsRZB6nnTnhAK'
const FINGERPRINT = 'SHA256:vO3CCJxQWwCOWd8ID+91b3Kulk+TNVUeNPjMh61t1Tk'

describe('the file of people', () => {
  it('reads public keys as they stand in id_ed25519.pub, and fingerprints', () => {
    const other = `SHA256:${'o'.repeat(43)}`
    const people = parsePeople(`# ours\n\n${KEY} Alice Smith\r\n  ${other}\tBob\n`)

    assert.deepEqual(
      [...people],
      [
        [FINGERPRINT, 'Alice Smith'],
        [other, 'Bob'],
      ],
    )
  })

  it('takes the same key twice for the same person only', () => {
    assert.equal(parsePeople(`${KEY} Alice\n${FINGERPRINT} Alice`).size, 1)
    assert.throws(() => parsePeople(`${KEY} Alice\n${FINGERPRINT} Bob`), /line 2 gives the key of Alice to Bob/)
  })

  it('names every line that it does not understand', () => {
    const cut = KEY.slice(0, 30)
    const mistyped = KEY.replace('ssh-ed25519', 'ssh-rsa')
    assert.throws(
      () => parsePeople(`${KEY}\n${cut} Alice\n${mistyped} Alice\nSHA256:short Alice\nAlice`),
      /^Error: \.gitops-status\/people: line 1 names nobody after the key; (line [2345] begins with neither a public key nor SHA256:…(; )?){4}$/,
    )
  })
})
