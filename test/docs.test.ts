import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { SETTINGS } from '../src/config.ts'
import { CHECK_ERRORS } from '../src/drift/check-error.ts'
import { PIPELINES } from '../src/init/pipelines.ts'
import { EXIT } from '../src/reporter/exit-codes.ts'
import { INIT_FLAGS } from '../src/reporter/init-settings.ts'
import { FLAGS } from '../src/reporter/settings.ts'
import { VERSION } from '../src/reporter/version.ts'
import { WOODPECKER_FLAGS } from '../src/reporter/woodpecker-settings.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

it('documents every setting of the server with its default', () => {
  const lines = read('docs/operate.md').split('\n')
  for (const setting of Object.values(SETTINGS)) {
    const row = lines.find((line) => line.startsWith(`| \`--${setting.flag}\``))
    assert.ok(row?.includes(`\`${setting.env}\``) && row.includes(`| ${setting.default} |`), setting.flag)
  }
})

it('documents every flag, exit code and reason of the reporter', () => {
  const text = read('docs/reporter.md')
  for (const flag of Object.keys(FLAGS)) assert.ok(text.includes(`| \`--${flag}`), flag)
  for (const code of Object.values(EXIT)) assert.ok(text.includes(`| ${code} |`), String(code))
  for (const [code, [what, hint]] of Object.entries(CHECK_ERRORS)) {
    assert.ok(text.includes(`| \`${code}\` | ${what} | ${hint} |`), code)
  }
})

it('documents every flag of init and of woodpecker setup, and every CI', () => {
  const text = read('docs/pipelines.md')
  for (const flag of Object.keys({ ...INIT_FLAGS, ...WOODPECKER_FLAGS }))
    assert.ok(text.includes(`| \`--${flag}`), flag)
  for (const [name, { file }] of Object.entries(PIPELINES)) {
    assert.ok(text.includes(`\`${name}\``) && text.includes(`\`${file}\``), name)
  }
})

it('documents every field of a report', () => {
  const text = read('docs/api.md')
  const schema = /^export const REPORT = [\s\S]*?^}\)/m.exec(read('src/contract/report.ts'))?.[0] ?? ''
  const fields = [...schema.matchAll(/^ {2}(\w+): /gm)].map(([, field = '']) => field)
  assert.ok(fields.length >= 6)
  for (const field of fields) assert.ok(text.includes(`\`${field}\``) || text.includes(`"${field}"`), field)
})

it('calls itself by one version', () => {
  assert.equal(JSON.parse(read('package.json')).version, VERSION)
})
