import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { redactor } from './redact.ts'

const SECRET = 'p/w+&"\\é <%>\'x'
const SPELLINGS: Readonly<Record<string, string>> = {
  'as it is': SECRET,
  'in JSON': JSON.stringify(SECRET).slice(1, -1),
  'in JSON as Go and PHP write it': 'p\\/w+\\u0026\\"\\\\\\u00E9 \\u003c%\\u003e\'x',
  'in an address': encodeURIComponent(SECRET),
  'in an address, in small letters': encodeURIComponent(SECRET).replace(/%../g, (byte) => byte.toLowerCase()),
  'in an address, in part': encodeURI(SECRET),
  'in HTML': 'p/w+&amp;&quot;\\é &lt;%&gt;&#39;x',
  'in HTML, with numbers': 'p&#x2F;w+&#38;&#34;\\&#xe9; &lt;%&gt;&#x27;x',
  'in base64': Buffer.from(SECRET).toString('base64').replace(/=+$/, ''),
  'in base64 in JSON': Buffer.from(SECRET).toString('base64').replace(/=+$/, '').replaceAll('/', '\\/'),
  'in base64 for addresses': Buffer.from(SECRET).toString('base64url'),
}

describe('what others say of a secret', () => {
  for (const [how, spelling] of Object.entries(SPELLINGS)) {
    it(`is left out when it is written ${how}`, () => {
      assert.equal(redactor([SECRET])(`a ${spelling}, b ${spelling}`), 'a ***, b ***')
    })
  }

  it('leaves nothing of user:password when the password is a secret, too', () => {
    assert.equal(redactor(['hunter2', 'user:hunter2'])('user:hunter2 hunter2'), '*** ***')
  })

  it('is all there when there is no secret', () => {
    for (const secrets of [[], ['']]) assert.equal(redactor(secrets)('all of it'), 'all of it')
  })
})
