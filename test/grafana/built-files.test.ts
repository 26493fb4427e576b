import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { alertingFile } from '../../grafana/source/alert-rules.ts'
import { builtFiles, DEFAULT_STATUS_PAGE } from '../../grafana/source/built-files.ts'
import { dashboardProviderFile, dataSourceFile } from '../../grafana/source/data-source.ts'
import { statusPageIn } from '../../grafana/source/status-page.ts'
import { DASHBOARDS, panelsOf, queryOf, readDashboard, variableQueries } from './dashboards-in-json.ts'

const root = new URL('../../grafana/', import.meta.url).pathname
const main = join(root, 'source/main.ts')

describe('what Grafana reads', () => {
  it('is what its source builds, and nothing else: npm run grafana', () => {
    const built = builtFiles({ statusPage: DEFAULT_STATUS_PAGE })
    for (const [path, text] of built) assert.equal(readFileSync(join(root, path), 'utf8'), text, path)
    const there = globSync(['dashboards/**/*.*', 'provisioning/**/*.*'], { cwd: root })
    assert.deepEqual(there.toSorted(), [...built.keys()].toSorted())
  })

  it('is YAML that says what was meant', () => {
    for (const [path, meant] of [
      ['datasources', dataSourceFile()],
      ['dashboards', dashboardProviderFile()],
      ['alerting', alertingFile()],
    ] as const) {
      const { stdout, stderr } = spawnSync(
        'python3',
        ['-c', 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'],
        { input: readFileSync(join(root, `provisioning/${path}/gitops-status.yml`)), encoding: 'utf8' },
      )
      assert.equal(stderr, '')
      assert.deepEqual(JSON.parse(stdout), withoutComments(meant), path)
    }
  })

  it('takes the address of the status page, for links of its own', () => {
    const to = mkdtempSync(join(tmpdir(), 'grafana-'))
    try {
      const run = spawnSync(process.execPath, [main, '--status-page', 'https://status.example.org/gitops/', '--to', to])
      assert.equal(run.status, 0, String(run.stderr))
      const { templating } = JSON.parse(readFileSync(join(to, 'dashboards/fleet.json'), 'utf8'))
      assert.equal(templating.list.at(-1).query, 'https://status.example.org/gitops')
    } finally {
      rmSync(to, { recursive: true })
    }
  })

  it('refuses what is no address, and writes nothing', () => {
    for (const text of ['status.example.org', 'javascript:alert(1)', 'https://admin:secret@status.example.org', '']) {
      assert.equal(statusPageIn(text), null, text)
    }
    const run = spawnSync(process.execPath, [main, '--status-page=nowhere', '--to', '/nowhere'], { encoding: 'utf8' })
    assert.deepEqual([run.status, run.stderr], [2, '--status-page: "nowhere" is no http:// or https:// address\n'])
  })
})

for (const name of DASHBOARDS) {
  const dashboard = readDashboard(name)
  const panels = panelsOf(dashboard)

  describe(`the dashboard ${name}`, () => {
    it('is of a kind that every Grafana from 11.6 to 13 loads from a file', () => {
      assert.ok(dashboard.schemaVersion >= 39 && dashboard.schemaVersion <= 41)
      assert.ok(Array.isArray(dashboard.panels))
      // An id would be that of another dashboard; inputs are asked for by people only.
      for (const key of ['id', '__inputs', '__requires', 'elements', 'spec']) assert.ok(!(key in dashboard), key)
      assert.match(dashboard.uid ?? '', /^[a-z-]{8,40}$/)
    })

    it('asks one data source, and always by the parser that works everywhere', () => {
      const uid = 'gitops-status'
      for (const query of [...panels.map(queryOf), ...variableQueries(dashboard).map(({ query }) => query)]) {
        assert.deepEqual([query.parser, Reflect.get(query, 'datasource').uid], ['backend', uid])
      }
      for (const { datasource } of panels) assert.equal(datasource?.uid, uid)
    })

    it('has a description and words for nothing on each panel', () => {
      for (const { title, description, fieldConfig } of panels) {
        assert.ok((description?.length ?? 0) > 20, title)
        assert.ok((fieldConfig?.defaults.noValue?.length ?? 0) > 5, title)
      }
    })

    it('covers its grid: no panel lies on another, and none hangs over the edge', () => {
      const taken = new Map<string, string>()
      for (const { title = '', gridPos } of panels) {
        if (gridPos === undefined) throw new Error(`${title} has no place`)
        const { x, y, w, h } = gridPos
        assert.ok(x + w <= 24, title)
        for (let column = x; column < x + w; column++) {
          for (let row = y; row < y + h; row++) {
            assert.equal(taken.get(`${column} ${row}`), undefined, `${title} lies on another`)
            taken.set(`${column} ${row}`, title)
          }
        }
      }
      const ids = panels.map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length)
    })

    it('speaks of no field that there is not', () => {
      for (const { title, fieldConfig } of panels) {
        const panel = panels.find((one) => one.title === title)
        const fields = new Set(panel === undefined ? [] : queryOf(panel).columns.map(({ text }) => text))
        for (const { matcher } of fieldConfig?.overrides ?? []) {
          assert.ok(fields.has(String(matcher.options)), `${title}: ${matcher.options}`)
        }
      }
    })
  })
}

it('has a row in docs/grafana.md for each panel and each rule, and the path where dashboards are looked for', () => {
  const text = readFileSync(new URL('../../docs/grafana.md', import.meta.url), 'utf8')
  const panels = DASHBOARDS.flatMap((name) => panelsOf(readDashboard(name)))
  const rules = alertingFile().groups.flatMap(({ rules }) => rules)
  for (const { title } of [...panels, ...rules]) assert.ok(text.includes(`\n| ${title} | `), title)
  for (const { options } of dashboardProviderFile().providers) assert.ok(text.includes(` ${options.path}/\n`))
})

function withoutComments(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutComments)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('#'))
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutComments(item)]))
}
