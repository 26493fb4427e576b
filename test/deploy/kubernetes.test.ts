import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { builtAlertRules } from '../../scripts/build-alert-rules.ts'
import { hasKubernetesTools } from '../../scripts/kubernetes-tools/install.ts'
import { SETTINGS } from '../../src/config.ts'
import { VERSION } from '../../src/reporter/version.ts'
import { aBody } from '../server/a-report.ts'
import { post } from '../server/start-app.ts'
import { startServer } from '../server/start-server.ts'
import { type KubernetesObject, schemaProblems } from './kubernetes-schema.ts'
import { renderChart, renderKustomization, renderOverlay, renderRelease, runHelm, type Store } from './render.ts'

type Labels = Record<string, string>

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly timeoutSeconds: number
  readonly failureThreshold: number
}

interface Container {
  readonly name: string
  readonly image: string
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly securityContext: unknown
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly resources: { readonly requests: Labels; readonly limits: Labels }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
}

interface Pod {
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly serviceAccountName: string
  readonly securityContext: unknown
  readonly terminationGracePeriodSeconds: number
  readonly topologySpreadConstraints?: readonly { readonly labelSelector: { readonly matchLabels: Labels } }[]
  readonly containers: readonly [Container]
  readonly initContainers?: unknown
  readonly volumes: readonly { readonly name: string }[]
}

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly type: string }
    readonly selector: { readonly matchLabels: Labels }
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod }
  }
}

const STORES: readonly Store[] = ['sqlite', 'postgresql']
const VALUES = ['--set', 'monitoring.enabled=true']

/** Every way in which the manifests and the chart can be applied, by what a user would call it. */
const WAYS: Record<string, { readonly store: Store; readonly render: () => readonly KubernetesObject[] }> =
  Object.fromEntries(
    STORES.flatMap((store) => [
      [`kustomize, ${store}`, { store, render: () => renderOverlay(store, { monitoring: true }) }],
      [`Helm, ${store}`, { store, render: () => renderChart('--set', `store=${store}`, ...VALUES) }],
    ]),
  )

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** Of a kind there is one, and its fields are what the schema test has found them to be. */
function theOnly<Kind extends KubernetesObject>(objects: readonly KubernetesObject[], kind: string): Kind {
  const found = objects.filter((object) => object.kind === kind)
  assert.equal(found.length, 1, kind)
  return found[0] as Kind
}

function assertSelects(selector: Labels, labels: Labels | undefined, what: string): void {
  assert.ok(Object.keys(selector).length > 0, what)
  for (const [name, value] of Object.entries(selector)) assert.equal(labels?.[name], value, `${what}: ${name}`)
}

describe('the Kubernetes objects', { skip: !hasKubernetesTools() }, () => {
  for (const [way, { store, render }] of Object.entries(WAYS)) {
    describe(way, () => {
      const objects = hasKubernetesTools() ? render() : []
      const deployment = () => theOnly<Deployment>(objects, 'Deployment')
      const pod = () => deployment().spec.template.spec
      const container = () => pod().containers[0]

      it('are what the API takes, and nothing that it does not know', async () => {
        assert.deepEqual(await schemaProblems(objects), [])
      })

      it('are the ones that are needed', () => {
        assert.deepEqual(objects.map(({ kind }) => kind).sort(), [
          'Deployment',
          'NetworkPolicy',
          ...(store === 'sqlite' ? ['PersistentVolumeClaim'] : ['PodDisruptionBudget']),
          'PrometheusRule',
          'Service',
          'ServiceAccount',
          'ServiceMonitor',
        ])
        for (const { metadata, kind } of objects) {
          assert.equal(metadata.name, 'gitops-status-server', kind)
          assert.equal(metadata.namespace, 'observability-stack', kind)
          for (const name of ['name', 'component', 'part-of', 'version']) {
            assert.ok(metadata.labels?.[`app.kubernetes.io/${name}`], `${kind}: ${name}`)
          }
          assert.equal(metadata.labels?.app, 'gitops-status-server', kind)
        }
      })

      it('keep to the restricted pod security standard, and further', () => {
        assert.deepEqual(pod().securityContext, {
          runAsNonRoot: true,
          runAsUser: 10001,
          runAsGroup: 10001,
          fsGroup: 10001,
          fsGroupChangePolicy: 'OnRootMismatch',
          seccompProfile: { type: 'RuntimeDefault' },
        })
        assert.deepEqual(container().securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        assert.equal(pod().containers.length, 1)
        assert.equal(pod().initContainers, undefined)
        for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) assert.ok(!(field in pod()), field)
      })

      it('give the server no token and no variables of other services', () => {
        assert.equal(pod().automountServiceAccountToken, false)
        assert.equal(pod().enableServiceLinks, false)
        const account = theOnly<KubernetesObject & { automountServiceAccountToken: boolean }>(objects, 'ServiceAccount')
        assert.equal(account.automountServiceAccountToken, false)
        assert.equal(pod().serviceAccountName, account.metadata.name)
      })

      it('find the pods by their labels', () => {
        const { labels } = deployment().spec.template.metadata
        assertSelects(deployment().spec.selector.matchLabels, labels, 'Deployment')
        assertSelects({ app: 'gitops-status-server' }, labels, 'kubectl logs -l app=gitops-status-server')
        for (const { labelSelector } of pod().topologySpreadConstraints ?? []) {
          assertSelects(labelSelector.matchLabels, labels, 'topology spread')
        }
        const service = theOnly<KubernetesObject & { spec: { selector: Labels } }>(objects, 'Service')
        assertSelects(service.spec.selector, labels, 'Service')
        const policy = theOnly<KubernetesObject & { spec: { podSelector: { matchLabels: Labels } } }>(
          objects,
          'NetworkPolicy',
        )
        assertSelects(policy.spec.podSelector.matchLabels, labels, 'NetworkPolicy')
      })

      it('lead port 80 to the port on which the server listens', () => {
        const service = theOnly<KubernetesObject & { spec: { ports: unknown } }>(objects, 'Service')
        assert.deepEqual(service.spec.ports, [{ name: 'http', port: 80, targetPort: 'http' }])
        assert.deepEqual(container().ports, [{ name: 'http', containerPort: 8080 }])
        assert.equal(variables(container()).GITOPS_STATUS_PORT, '8080')
        assert.equal(variables(container()).GITOPS_STATUS_HOST, '0.0.0.0')
      })

      it('are looked after by Prometheus', () => {
        const monitor = theOnly<
          KubernetesObject & { spec: { selector: { matchLabels: Labels }; endpoints: readonly { port: string }[] } }
        >(objects, 'ServiceMonitor')
        const service = theOnly(objects, 'Service')
        assertSelects(monitor.spec.selector.matchLabels, service.metadata.labels, 'ServiceMonitor')
        assert.deepEqual(
          monitor.spec.endpoints.map(({ port }) => port),
          ['http'],
        )
      })

      it('name settings that there are', () => {
        const known: readonly string[] = Object.values(SETTINGS).flatMap(({ env, mask }) =>
          mask ? [env, `${env}_FILE`] : [env],
        )
        for (const name of Object.keys(variables(container()))) assert.ok(known.includes(name), name)
      })

      it('take reports from tokens only (S1)', () => {
        assert.equal(variables(container()).GITOPS_STATUS_AUTH, 'required')
      })

      it('restart a server that hangs, and none whose database is away', () => {
        const { startupProbe, livenessProbe, readinessProbe } = container()
        for (const { httpGet } of [startupProbe, livenessProbe]) {
          assert.deepEqual(httpGet, { path: '/livez', port: 'http' })
        }
        // With SQLite there is nobody else to show what is known.
        assert.equal(readinessProbe.httpGet.path, store === 'sqlite' ? '/livez' : '/readyz')
        assert.ok(startupProbe.failureThreshold * startupProbe.periodSeconds >= 600, 'time for a conversion')
        assert.ok(livenessProbe.failureThreshold * livenessProbe.periodSeconds >= 60)
      })

      it('wait for a stop to end by itself', () => {
        const waitSeconds = Number(
          variables(container()).GITOPS_STATUS_SHUTDOWN_WAIT ?? SETTINGS.shutdownWaitMs.default,
        )
        assert.ok(pod().terminationGracePeriodSeconds >= waitSeconds + 20)
      })

      it('bound what the server may use', () => {
        const { requests, limits } = container().resources
        assert.deepEqual(Object.keys(requests), ['cpu', 'memory'])
        assert.deepEqual(Object.keys(limits).sort(), ['ephemeral-storage', 'memory'])
      })

      it('mount what there is, and keep the database where it can be written', () => {
        const volumes = pod().volumes.map(({ name }) => name)
        const { volumeMounts } = container()
        assert.deepEqual(volumeMounts.map(({ name }) => name).sort(), volumes.toSorted())
        const { DATABASE_URL, DATABASE_URL_FILE } = variables(container())
        const file = store === 'sqlite' ? DATABASE_URL?.replace('sqlite:', '') : DATABASE_URL_FILE
        const mount = volumeMounts.find(({ mountPath }) => file?.startsWith(`${mountPath}/`))
        assert.equal(mount?.readOnly ?? false, store === 'postgresql')
      })

      it('have as many servers as the store allows', () => {
        const { replicas, strategy } = deployment().spec
        if (store === 'sqlite') return assert.deepEqual([replicas, strategy], [1, { type: 'Recreate' }])
        assert.ok(replicas >= 2)
        assert.equal(strategy.type, 'RollingUpdate')
        assert.equal(pod().topologySpreadConstraints?.length, 2)
        const budget = theOnly<KubernetesObject & { spec: { selector: { matchLabels: Labels } } }>(
          objects,
          'PodDisruptionBudget',
        )
        assertSelects(budget.spec.selector.matchLabels, deployment().spec.template.metadata.labels, 'budget')
      })

      it('are of this version', () => {
        const { labels } = deployment().spec.template.metadata
        assert.equal(labels['app.kubernetes.io/version'], VERSION)
        assert.ok(container().image.endsWith(`/gitops-status-server:${VERSION}`), container().image)
      })
    })
  }

  for (const store of STORES) {
    it(`are the same by kustomize and by Helm: ${store}`, () => {
      const [byKustomize, byHelm] = [
        renderOverlay(store, { monitoring: true }),
        renderChart('--set', `store=${store}`, ...VALUES),
      ]
      assert.deepEqual(comparable(byHelm), comparable(byKustomize))
    })
  }
})

it('the built alert rules are those of Grafana: otherwise run `npm run build:rules`', () => {
  for (const [path, text] of builtAlertRules()) assert.equal(read(path), text, path)
})

describe('docs/deploy.md', { skip: !hasKubernetesTools() }, () => {
  const text = read('docs/deploy.md')

  it('has a kustomization that can be applied', async () => {
    const [, kustomization = ''] = /```yaml\n(# kustomization\.yaml [\s\S]*?)```/.exec(text) ?? []
    const objects = renderKustomization(kustomization)
    assert.deepEqual(await schemaProblems(objects), [])
    assert.ok(objects.some(({ kind }) => kind === 'PrometheusRule'))
    const { image } = theOnly<Deployment>(objects, 'Deployment').spec.template.spec.containers[0]
    assert.equal(image, `your-registry/gitops-status-server:${VERSION}`)
  })

  it('installs the chart with values that it has', () => {
    for (const page of [text, read('deploy/helm/gitops-status-server/README.md')]) {
      const [command = ''] = /helm install [\s\S]*?\n```/.exec(page) ?? []
      const values = [...command.matchAll(/--set (\S+)/g)].flatMap(([, value = '']) => ['--set', value])
      assert.ok(values.length > 0)
      assert.ok(renderChart(...values).length > 0)
    }
  })

  it('makes a namespace that takes the pods', async () => {
    const namespace = parse(read('deploy/kubernetes/namespace.yaml'))
    assert.deepEqual(await schemaProblems([namespace]), [])
    assert.equal(namespace.metadata.name, 'observability-stack')
  })
})

describe('the chart', { skip: !hasKubernetesTools() }, () => {
  it('passes helm lint --strict', () => {
    const { status, stdout, stderr } = runHelm('lint', '--strict', 'CHART')
    assert.equal(status, 0, stdout + stderr)
  })

  it('uses every value that it offers', () => {
    const templates = ['deployment', 'persistent-volume-claim', 'network-policy', 'monitoring', '_labels']
      .map((name) => read(`deploy/helm/gitops-status-server/templates/${name}.${name === '_labels' ? 'tpl' : 'yaml'}`))
      .join('')
    const { properties } = JSON.parse(read('deploy/helm/gitops-status-server/values.schema.json'))
    const offered = Object.entries<{ properties?: object }>(properties)
      .filter(([name]) => name !== 'global') // Helm's own
      .flatMap(([name, schema]) => [name, ...(name === 'resources' ? [] : Object.keys(schema.properties ?? {}))])
    for (const name of offered) assert.match(templates, new RegExp(`\\.${name}\\b`), name)
  })

  for (const [wrong, why] of [
    ['store=mysql', "'sqlite', 'postgresql'"],
    ['image.tag=latest', '/image/tag'],
    ['image.tagg=1', 'tagg'],
    ['fullnameOverride=Big_Name', '/fullnameOverride'],
    ['settings.GITOPS_STATUS_PORT=80', 'GITOPS_STATUS_PORT'],
    ['settings.GITOPS_STATUS_AUTH=auto', 'GITOPS_STATUS_AUTH'],
    ['auth=off', '/auth'],
    ['settings.PATH=/tmp', 'PATH'],
    ['postgresql.replicas=0', '/postgresql/replicas'],
  ] as const) {
    it(`refuses ${wrong}`, () => assert.throws(() => renderChart('--set', wrong), new RegExp(why)))
  }

  it('keeps text what looks like a number', async () => {
    const objects = renderRelease(
      '123',
      ...['--set', 'sqlite.storageClass=1e3', '--set', 'priorityClassName=007'],
      ...['--set-string', 'networkPolicy.namespaces={42}', '--set-string', 'settings.GITOPS_STATUS_RETENTION_DAYS=90'],
    )
    assert.deepEqual(await schemaProblems(objects), [])
    const { env } = theOnly<Deployment>(objects, 'Deployment').spec.template.spec.containers[0]
    assert.ok(env.some(({ name, value }) => name === 'GITOPS_STATUS_RETENTION_DAYS' && value === '90'))
  })

  it('takes an image by its digest', () => {
    const digest = `sha256:${'0'.repeat(64)}`
    const objects = renderChart('--set', `image.digest=${digest}`)
    const { image } = theOnly<Deployment>(objects, 'Deployment').spec.template.spec.containers[0]
    assert.equal(image, `registry.example/gitops-status-server@${digest}`)
  })

  it('says where reports go, how to see them, and who may send them', () => {
    const { status, stdout, stderr } = runHelm(
      ...['install', 'release', 'CHART', '--dry-run=client', '--namespace', 'observability-stack'],
    )
    assert.equal(status, 0, stderr)
    const notes = stdout.slice(stdout.indexOf('NOTES:'))
    assert.match(notes, /http:\/\/gitops-status-server\.observability-stack\.svc\.cluster\.local:80\/api\/status/)
    assert.match(notes, /kubectl logs -n observability-stack -l app=gitops-status-server -f/)
    assert.match(notes, /no others:\n\n {2}observability-stack\n {2}woodpecker\n/)
  })
})

it('the watch beside the server', { skip: !hasKubernetesTools() }, async (t) => {
  const objects = renderKustomization('resources: [kubernetes/watch]\n')
  const { spec } = theOnly<Deployment>(objects, 'Deployment')
  const pod = spec.template.spec
  await t.test('is what the API takes', async () => assert.deepEqual(await schemaProblems(objects), []))
  await t.test('is no pod of the Service of the server', () => {
    assert.equal(spec.template.metadata.labels.app, 'gitops-status-watch')
    assertSelects(spec.selector.matchLabels, spec.template.metadata.labels, 'Deployment')
  })
  await t.test('is one at a time, as little as the server is', () => {
    assert.deepEqual([spec.replicas, spec.strategy.type], [1, 'Recreate'])
    assert.equal(pod.automountServiceAccountToken, false)
    assert.deepEqual(pod.containers[0].securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })
})

it('kubectl logs shows each report: POST /api/status, from whom, and how it ended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-pod-log-'))
  try {
    const server = await startServer({ database: join(directory, 'test.db'), args: ['--shutdown-wait', '0'] })
    await post(server.url, aBody(), { 'user-agent': 'gitops-status/0.1.0 (Woodpecker)' })
    assert.equal(await server.end('SIGTERM'), 0)
    const line = server.lines.find((line) => line.includes('POST /api/status from Woodpecker')) ?? 'no such line'
    assert.equal(JSON.parse(line).status, 200)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

function variables({ env }: Container): Record<string, string> {
  return Object.fromEntries(env.map(({ name, value }) => [name, value]))
}

/** Without what only a release of Helm has, and without an order where order says nothing. */
function comparable(objects: readonly KubernetesObject[]): unknown {
  const helms = [
    'app.kubernetes.io/instance',
    'app.kubernetes.io/managed-by',
    'helm.sh/chart',
    'helm.sh/resource-policy',
  ]
  const text = JSON.stringify(objects, (key, value) => {
    if (helms.includes(key)) return undefined
    if (key === 'annotations' && Object.keys(value).every((name) => helms.includes(name))) return undefined
    const isNamed = Array.isArray(value) && value.every((item) => typeof item?.name === 'string')
    return isNamed ? value.toSorted((a, b) => a.name.localeCompare(b.name)) : value
  })
  const named = (JSON.parse(text) as KubernetesObject[]).map((object) => [object.kind, object] as const)
  return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b)))
}
