import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import ts from 'typescript'
import { DASHBOARDS, panelsOf, readDashboard } from './dashboards-in-json.ts'

// Grafana's schema of dashboards as the npm registry has it: the types of its own SDK. The built JSON is written down
// as a value of these types, and the compiler says what does not fit: a word that is none of an enumeration, a key
// that there is not, one that is missing.

const MODULES: Readonly<Record<string, string>> = {
  stat: '{ options: stat.Options }',
  table: '{ options: table.Options; custom: table.FieldConfig }',
  timeseries: '{ options: timeseries.Options; custom: timeseries.FieldConfig }',
  'state-timeline': '{ options: statetimeline.Options; custom: statetimeline.FieldConfig }',
}

const TYPES = `
import type { Dashboard, FieldConfig, FieldConfigSource, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
${['stat', 'table', 'timeseries', 'statetimeline'].map((name) => `import type * as ${name} from '@grafana/grafana-foundation-sdk/${name}'`).join('\n')}
type Any<T> = 0 extends 1 & T ? true : false
// In JSON an enumeration is the words themselves.
type Json<T> = Any<T> extends true ? any
  : T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer Item)[] ? Json<Item>[]
  : { [Key in keyof T]: Json<T[Key]> }
type Parts = { options: object; custom?: object }
// The defaults of a field are all optional, and so are those that a kind of panel adds.
type PanelOf<P extends Parts> = Json<Omit<Panel, 'options' | 'targets' | 'fieldConfig'> & {
  options: P['options']
  fieldConfig: Omit<FieldConfigSource, 'defaults'> & { defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<P['custom']> } }
}>
`

function declarationOf({ targets: _, ...panel }: Panel, name: string): string {
  return `export const ${name}: PanelOf<${MODULES[panel.type]}> = ${JSON.stringify(panel)}`
}

/** What the compiler says of some declarations. */
function complaintsAbout(declarations: readonly string[]): string[] {
  const file = new URL('written-down.ts', import.meta.url).pathname
  const text = [TYPES, ...declarations].join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (path) => path === file || fileExists(path)
  host.getSourceFile = (path, version, ...others) =>
    path === file ? ts.createSourceFile(path, text, version) : getSourceFile(path, version, ...others)
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}

describe("Grafana's own types", () => {
  const dashboards = DASHBOARDS.map(readDashboard)

  it('fit the dashboards', () => {
    const declarations = dashboards.flatMap((dashboard, at) => {
      const { panels: _, ...frame } = dashboard
      return [
        `export const frame${at}: Json<Omit<Dashboard, 'panels'>> = ${JSON.stringify(frame)}`,
        ...panelsOf(dashboard).map((panel, place) => declarationOf(panel, `panel${at}_${place}`)),
      ]
    })
    assert.deepEqual(complaintsAbout(declarations), [])
  })

  it('would not fit a word that Grafana does not know, nor a key', () => {
    const [panel] = dashboards.flatMap(panelsOf)
    if (panel === undefined) throw new Error('There is no panel')
    const complaints = complaintsAbout([
      declarationOf({ ...panel, options: { ...panel.options, colorMode: 'colourful' } }, 'word'),
      declarationOf({ ...panel, noValues: 'none' } as Panel, 'key'),
    ])
    assert.equal(complaints.length, 2)
    assert.match(complaints[0] ?? '', /"colourful"/)
    assert.match(complaints[1] ?? '', /noValues/)
  })
})
