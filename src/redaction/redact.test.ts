import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CANARIES, type Shape } from '../../test/redaction/canaries.ts'
import { fingerprintMark } from './fingerprint.ts'
import { redactDifference, redactText } from './redact.ts'

const mark = fingerprintMark('a key of the reporter', 'rsyslog')

function assertClean(text: string, { what, secrets }: Shape): void {
  assert.ok(secrets.length > 0, `${what} has no secret`)
  for (const secret of secrets) assert.ok(!text.includes(secret), `${what}: ${secret} is in\n${text}`)
}

/** All of one side goes, all of the other comes. */
function difference(server: string, git: string): string {
  const signed = (sign: string, text: string) => text.replace(/\n$/, '').replace(/^/gm, sign)
  return `--- in Git\n+++ on the server\n@@ -1 +1 @@\n${signed('-', git)}\n${signed('+', server)}\n`
}

const shape = fc.constantFrom(...CANARIES.flatMap(({ server, git }) => [server, git]))
const line = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '# a comment', 'port: 1', '  user = app', '}'),
)

describe('redaction', () => {
  it('knows more than 120 shapes of secrets', () => {
    assert.ok(CANARIES.length > 120)
  })

  for (const { what, server, git } of CANARIES) {
    it(`leaves nothing of a secret in: ${what}`, () => {
      assertClean(redactText(server.text), server)
      for (const diff of [
        redactDifference(difference(server.text, git.text)),
        redactDifference(difference(server.text, ''), mark),
      ]) {
        assertClean(diff, server)
        if (diff.includes('\n-‹')) assertClean(diff, git)
      }
    })
  }

  it('leaves nothing of a secret wherever it stands in a text', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), shape, fc.array(line, { maxLength: 4 }), (before, one, after) => {
        // A quote or a key that was opened before may hide what follows, and never shows it.
        const text = [...before.map((some) => some.replaceAll('\n', '')), one.text, ...after].join('\n')
        assertClean(redactText(text), one)
      }),
    )
  })

  it('changes nothing that it has redacted, and as many lines come out as went in', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            line,
            shape.map(({ text }) => text),
            fc.constantFrom('password: |', '-----END A-----', '@@ -1 +1 @@'),
          ),
        ),
        (parts) => {
          const text = parts.join('\n')
          for (const redact of [redactText, redactDifference]) {
            const once = redact(text, mark)
            assert.equal(redact(once), once)
            assert.equal(once.split('\n').length, text.split('\n').length)
          }
        },
      ),
    )
  })

  it('takes a value out and leaves the rest of its line', () => {
    const lines = [
      ['password = hunter2', 'password = ‹redacted›'],
      ['{"user": "app", "password": "hunter2", "port": 1}', '{"user": "app", "password": "‹redacted›", "port": 1}'],
      ['url = https://app:hunter2@example.org/x', 'url = https://app:‹redacted›@example.org/x'],
      ['<user name="app" password="hunter2" port="1"/>', '<user name="app" password="‹redacted›" port="1"/>'],
      ['action(type="ommysql" pwd="hunter2" db="log")', 'action(type="ommysql" pwd="‹redacted›" db="log")'],
    ]
    for (const [text = '', expected] of lines) assert.equal(redactText(text), expected)
  })

  it('leaves what is no secret', () => {
    const lines = [
      'PasswordAuthentication no # for everybody',
      'password required pam_unix.so sha512',
      'passwd: files systemd',
      'PASS_MAX_DAYS 99999',
      'password_file = /etc/app/password',
      'ssl_certificate_key /etc/ssl/private/example.key;',
      'api_key: "{{ vault_api_key }}"',
      `token: $\{TOKEN}`,
      'password: !vault |',
      'bypass = 1 # the compass',
      '*.* action(type="omfwd" target="loghost.example.org" port="514" protocol="tcp")',
      'UUID=0a3407de-014b-458b-b5c1-848e92a327a3 / ext4 errors=remount-ro 0 1',
      'deb http://deb.debian.org/debian bookworm main non-free-firmware',
      '/usr/lib/x86_64-linux-gnu/security/pam_unix.so',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl eve@example.org',
      'net.ipv4.conf.default.accept_source_route = 0',
      '2026-04-21T10:30:00Z 192.168.100.200 fe80::1ff:fe23:4567:890a',
      'AllowAgentForwardingAndX11ForwardingToo yes',
    ]
    for (const text of lines) assert.equal(redactText(text), text)
  })

  it('knows a secret by a name that stands in a line of both sides', () => {
    const diff = ['@@ -1,3 +1,3 @@', ' smtp:', '   password:', '-    kestrel', '+    falcon', '   port: 1'].join('\n')
    const shown = redactDifference(diff)
    assert.equal(shown, diff.replace('kestrel', '‹redacted›').replace('falcon', '‹redacted›'))
  })

  it('knows a secret by a name behind the place of a hunk', () => {
    assert.ok(!redactDifference('@@ -7,2 +7,2 @@ password: |\n-  kestrel\n+  falcon').match(/kestrel|falcon/))
  })

  it('shows by a fingerprint whether a secret is the same, to nobody without the key', () => {
    const printOf = (secret: string, key = 'k', repo = 'r') =>
      redactText(`password: ${secret}`, fingerprintMark(key, repo))
    assert.match(printOf('a-secret'), /^password: ‹redacted [0-9a-f]{4}›$/)
    assert.equal(printOf('a-secret'), printOf('a-secret'))
    const others = [printOf('another'), printOf('a-secret', 'K'), printOf('a-secret', 'k', 'R')]
    assert.ok(others.every((other) => other !== printOf('a-secret')))
  })

  it('reads the longest text that a report may carry to its end, whatever it repeats', { timeout: 60_000 }, () => {
    for (const part of ADVERSARIAL) {
      const text = part.repeat(Math.ceil(65_536 / part.length)).slice(0, 65_536)
      for (const one of [text, `@@ -1 +1 @@\n-${text}`, `${text}\u00a7`, `password = "${text}`]) {
        assert.equal(redactDifference(one).split('\n').length, one.split('\n').length)
      }
    }
  })
})

describe('redaction of one long line', () => {
  const blanks = ' '.repeat(1 << 19)
  const LINES = {
    'options behind blanks': blanks + '--pw a '.repeat(75_000),
    'values before blanks': `x ${'pw=a '.repeat(100_000)}${blanks}`,
    'switches before blanks': `x ${'--pw no '.repeat(65_000)}${blanks}`,
    'quoted values before blanks': `x ${'pw="a" '.repeat(75_000)}${blanks}`,
  }
  for (const [what, text] of Object.entries(LINES)) {
    // A megabyte takes a tenth of a second; where each name walks to an end of the line it takes half a minute.
    it(`reads ${what} once, not once for each name`, () => {
      const begun = performance.now()
      redactText(text)
      assert.ok(performance.now() - begun < 5_000)
    })
  }
})

const ADVERSARIAL = [
  'a',
  '-',
  '+',
  '"',
  '\\',
  ' ',
  '\t',
  '=',
  '/',
  '://',
  '://@',
  '://a:b',
  'password',
  'password ',
  'password=',
  '"password": "',
  '<password',
  'password\\"',
  'eyJ',
  'eyJ-',
  'sk-',
  '$6$',
  '-----BEGIN ',
  '-----BEGIN A-----',
  'name: password ',
  'machine ',
  'mysql ',
  'Bearer ',
  'a:1:a:a:',
  '‹redacted›',
  'password=‹redacted› ',
  'secret\\ ',
  'password\n',
  '-password: |\n',
  '@@ -1 +1 @@\n',
  '\n',
  '-----BEGIN A-----\n',
  '-----END A-----\n',
  'a\n-----END A-----\n',
]
