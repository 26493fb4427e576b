import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { SETTINGS } from '../src/config.ts'
import { REPORT } from '../src/contract/report.ts'
import { CHECK_ERRORS } from '../src/drift/check-error.ts'
import { PIPELINES } from '../src/init/pipelines.ts'
import { EXIT } from '../src/reporter/exit-codes.ts'
import { INIT_FLAGS } from '../src/reporter/init-settings.ts'
import { FLAGS } from '../src/reporter/settings.ts'
import { VERSION } from '../src/reporter/version.ts'
import { WATCH_FLAGS } from '../src/reporter/watch-settings.ts'
import { WOODPECKER_FLAGS } from '../src/reporter/woodpecker-settings.ts'
import { fieldTable } from './docs/field-table.ts'

const at = (path: string) => new URL(`../${path}`, import.meta.url)
const read = (path: string) => readFileSync(at(path), 'utf8')

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

it('documents every flag of watch that is not one of report', () => {
  const text = read('docs/watch.md')
  const more = Object.keys(WATCH_FLAGS).filter((flag) => !Object.hasOwn(FLAGS, flag))
  assert.deepEqual(more, ['look-every', 'pull'])
  for (const flag of more) assert.ok(text.includes(`| \`--${flag}`), flag)
  for (const flag of ['help', ...Object.keys(WATCH_FLAGS)])
    assert.ok(flag === 'help' || text.includes(`--${flag}`), flag)
})

it('documents every flag of init and of woodpecker setup, and every CI', () => {
  const text = read('docs/pipelines.md')
  for (const flag of Object.keys({ ...INIT_FLAGS, ...WOODPECKER_FLAGS }))
    assert.ok(text.includes(`| \`--${flag}`), flag)
  for (const [name, { file }] of Object.entries(PIPELINES)) {
    assert.ok(text.includes(`\`${name}\``) && text.includes(`\`${file}\``), name)
  }
})

it('documents every field of a report as its schema has it', () => {
  const text = read('docs/api.md')
  const [before, , after] = text.split(/(?<=<!-- fields of a report -->\n)\n([\s\S]*)(?=<!-- end of fields -->)/)
  const written = `${before}\n${fieldTable(REPORT)}\n\n${after}`
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(at('docs/api.md'), written)
  else assert.equal(text, written, 'UPDATE_GOLDEN=1 npm test writes the table anew')
})

it('calls itself by one version', () => {
  assert.equal(JSON.parse(read('package.json')).version, VERSION)
})
