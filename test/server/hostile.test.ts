import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { aBody } from './a-report.ts'
import { lengthOf } from './long.ts'
import { type AppUnderTest, get, post, startTestApp } from './start-app.ts'

let app: AppUnderTest
before(async () => {
  app = await startTestApp()
})
after(() => app.stop())

const valid = JSON.stringify(aBody({ files: [{ name: 'rsyslog.conf' }] }))
const fields = Object.keys(JSON.parse(valid))

/** The text of a valid report with other text for the value of one field. */
function withRaw(field: string, text: string): string {
  const { [field]: _, ...rest } = JSON.parse(valid)
  return `${JSON.stringify(rest).slice(0, -1)},"${field}":${text}}`
}

const WRONG_VALUES = [
  'null',
  '{}',
  '[]',
  '[[]]',
  '1e400',
  '-1e400',
  'true',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '{"__proto__":1}',
  '9007199254740993',
  '" "',
  '[null]',
  '[1]',
  '[false]',
  '[{}]',
  '[["a"]]',
  'false',
  '-1',
  '0.1',
  '-0',
  '1e-400',
  '1e999',
  '{"a":1}',
  '{"length":1}',
  '"\\u202e"',
  '"a b c"',
  '"../../etc/passwd"',
]

const CORPUS: Record<string, string | Buffer> = {
  nothing: '',
  'white space': ' \n\t ',
  null: 'null',
  'a number': '1',
  'a string': '"SYNCED"',
  'not JSON': '{repo: rsyslog}',
  'a trailing comma': valid.replace('}', ',}'),
  'two documents': valid + valid,
  'a byte order mark': `\ufeff${valid}`,
  'UTF-16': Buffer.from(valid, 'utf16le'),
  'invalid UTF-8': Buffer.concat([Buffer.from(valid.slice(0, -1)), Buffer.from(',"run_id":"\xff\xfe"}', 'latin1')]),
  'overlong UTF-8': Buffer.from('"\xc0\x80"', 'latin1'),
  'a NUL': `${valid}\u0000`,
  'a depth of 50,000 arrays': '['.repeat(50_000),
  'a depth of 50,000 arrays, closed': '['.repeat(50_000) + ']'.repeat(50_000),
  'a depth of 50,000 objects': '{"files":'.repeat(50_000),
  'a depth of 50,000 in a field': withRaw('extra', '['.repeat(50_000) + ']'.repeat(50_000)),
  'a million commas': `[${','.repeat(1_000_000)}]`,
  'a number of a million digits': withRaw('drift_count', '9'.repeat(1_000_000)),
  'a name of a million letters': withRaw('repo', JSON.stringify('a'.repeat(1_000_000))),
  '100,000 files': withRaw('files', `[${'{"name":"a"},'.repeat(99_999)}{"name":"a"}]`),
  'a million empty members': `[${'{},'.repeat(999_999)}{}]`,
  'a NUL in a file name': withRaw('files', '[{"name":"a\\u0000b"}]'),
  'half a surrogate pair in a file name': withRaw('files', '[{"name":"\\ud800"}]'),
  ...Object.fromEntries(
    fields.map((field) => [
      `${field} twice`,
      valid.replace('{', `{"${field}":${JSON.stringify(JSON.parse(valid)[field])},`),
    ]),
  ),
  ...Object.fromEntries(
    fields.flatMap((field) => WRONG_VALUES.map((text) => [`${text} for ${field}`, withRaw(field, text)])),
  ),
  ...Object.fromEntries(
    [
      '2026-04-21T10:30:00',
      '2026-02-30T10:30:00Z',
      '2026-04-21T24:00:00Z',
      '2026-06-30T23:59:60Z',
      '9999-99-99T99:99:99Z',
      '2099-01-01T00:00:00Z',
    ].map((time) => [`the time ${time}`, withRaw('last_check', JSON.stringify(time))]),
  ),
}

describe('hostile input', () => {
  for (const [what, body] of Object.entries(CORPUS)) {
    it(`such as ${what} is a 4xx that says why`, async () => {
      const answer = await post(app.url, Buffer.from(body))
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`,
      )
      assert.ok(answer.body.detail.length > 10)
      assert.ok(JSON.stringify(answer.body).length < 50_000, 'the answer is bounded')
    })
  }

  it('is at most a 4xx for any JSON at all, and leaves no memory behind (R18)', async (t) => {
    const numRuns = lengthOf({ gate: 5_000, long: 100_000 })
    const counted = { refused: 0, taken: 0 }
    const before = process.memoryUsage().rss
    // Any JSON, and reports with anything for one of their fields.
    const texts = fc.oneof(
      fc.json({ maxDepth: 6 }),
      fc.tuple(fc.constantFrom(...fields), fc.json({ maxDepth: 4 })).map(([field, text]) => withRaw(field, text)),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const { status } = await post(app.url, text)
        assert.ok(status === 200 || (status >= 400 && status < 500))
        counted[status === 200 ? 'taken' : 'refused']++
      }),
      { numRuns },
    )
    const grown = (process.memoryUsage().rss - before) / 2 ** 20
    t.diagnostic(
      `R18: ${Object.keys(CORPUS).length} cases and ${numRuns} random ones: ${counted.refused} refused, ${counted.taken} were reports, 0 answered with 5xx; memory ${grown.toFixed(0)} MiB more, the test's own included`,
    )
    assert.ok(Object.keys(CORPUS).length >= 200)
    assert.ok(grown < 256)
  })

  it('with a key twice at any depth is 400, in either order (R19)', async (t) => {
    const twice = (key: string, value: string, other: string) => [
      `"${key}":${value},"${key}":${other}`,
      `"${key}":${other},"${key}":${value}`,
    ]
    const rest = valid.slice(1, -1)
    const bodies = [
      ...twice('sync_status', '"SYNCED"', '"OUT_OF_SYNC"').map(
        (pair) => `{${pair},${rest.replace(/"sync_status":"[A-Z_]+",/, '')}}`,
      ),
      ...twice('name', '"a"', '"b"').map((pair) => withRaw('files', `[{${pair}}]`)),
      ...twice('mode', '"0644"', '"0600"').map((pair) => withRaw('files', `[{"name":"a","expected":{${pair}}}]`)),
      ...twice('x', '1', '2').map((pair) => withRaw('unknown', `{"a":{"b":[{${pair}}]}}`)),
      ...twice('repo', '"a"', '"b"').map((pair) => `[{${pair},${rest}}]`),
      `{"na\\u006de":1,${rest.replace('"files":[{', '"files":[{"na\\u006de":"other",')}}`,
    ]
    const statuses = []
    for (const body of bodies) statuses.push((await post(app.url, body)).status)
    t.diagnostic(`R19: ${statuses.filter((status) => status === 400).length} of ${bodies.length} refused`)
    assert.deepEqual(new Set(statuses), new Set([400]))
  })

  it('with a hundred thousand unknown fields is taken, with a bounded answer', async () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f${n}`, 1]))
    const { status, body } = await post(app.url, { ...many, ...JSON.parse(valid) })
    assert.equal(status, 200)
    assert.ok(body.warnings.length <= 20)
  })

  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '.',
    '..',
    '%2e%2e',
    'a/b',
    '😀'.repeat(100),
    '\u202egpj.exe',
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '$(touch x)',
    'DRIFTED_FILES=',
    "'; DROP TABLE report; --",
    '{"level":"info"}',
  ]
  for (const name of NAMES) {
    it(`as a file's name comes back as it was sent: ${JSON.stringify(name).slice(0, 40)}`, async () => {
      app.advance(1)
      const { status } = await post(app.url, aBody({ server: 'names', files: [{ name }], run_id: name }))
      assert.equal(status, 200)
      assert.deepEqual((await get(app.url, '/status.json?server=names')).body.files, [{ name }])
    })
  }

  for (const [name, shown] of [
    ['a\nb', 'a\\x0ab'],
    ['\u001b[2J', '\\x1b[2J'],
  ] as const) {
    it(`as a file's name comes back escaped when it could move a cursor: ${JSON.stringify(name)}`, async () => {
      app.advance(1)
      const { status, body } = await post(app.url, aBody({ server: 'names', files: [{ name }], run_id: name }))
      assert.deepEqual([status, body.warnings.length], [200, 1])
      assert.deepEqual((await get(app.url, '/status.json?server=names')).body.files, [
        { name: shown, name_base64: Buffer.from(name).toString('base64') },
      ])
    })
  }

  for (const name of ['__proto__', 'constructor', 'toString']) {
    it(`takes ${name} as a repository and a server like any other`, async () => {
      assert.equal((await post(app.url, aBody({ repo: name, server: name }))).status, 200)
      assert.equal((await get(app.url, `/status.json?repo=${name}&server=${name}`)).body.target_count, 1)
    })
  }

  it('has left the server alive, without a single error in its log', async () => {
    assert.equal((await get(app.url, '/readyz')).status, 200)
    assert.deepEqual(
      app.log.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
