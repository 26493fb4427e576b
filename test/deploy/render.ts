import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { HELM, KUBECTL } from '../../scripts/kubernetes-tools/install.ts'
import type { KubernetesObject } from './kubernetes-schema.ts'

const KUBERNETES = new URL('../../deploy/kubernetes/', import.meta.url).pathname
const CHART = new URL('../../deploy/helm/gitops-status-server/', import.meta.url).pathname

export type Store = 'sqlite' | 'postgresql'

/** What `kubectl apply -k` sends, with and without the component for the Prometheus operator. */
export function renderOverlay(store: Store, { monitoring = false } = {}): readonly KubernetesObject[] {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-overlay-'))
  try {
    const path = (name: string) => JSON.stringify(relative(directory, join(KUBERNETES, name)))
    const components = monitoring ? `components: [${path('components/prometheus-operator')}]` : ''
    writeFileSync(
      join(directory, 'kustomization.yaml'),
      `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${path(`overlays/${store}`)}]\n${components}`,
    )
    const { status, stdout, stderr } = run(KUBECTL, ['kustomize', directory])
    // A warning is about a field that a later kustomize drops.
    if (status !== 0 || stderr !== '') throw new Error(`kubectl kustomize: ${stderr}`)
    return objectsOf(stdout)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What `helm install` sends. */
export function renderChart(...args: readonly string[]): readonly KubernetesObject[] {
  return renderRelease('release', ...args)
}

export function renderRelease(name: string, ...args: readonly string[]): readonly KubernetesObject[] {
  const { status, stdout, stderr } = helm('template', name, CHART, '--namespace', 'observability-stack', ...args)
  if (status !== 0) throw new Error(stderr)
  return objectsOf(stdout)
}

/** Runs helm with the chart where it says CHART. */
export function runHelm(...args: readonly string[]) {
  return helm(...args.map((arg) => (arg === 'CHART' ? CHART : arg)))
}

function helm(...args: readonly string[]) {
  return run(HELM, args)
}

function run(program: string, args: readonly string[]) {
  // Neither may find the cluster or the settings of whoever runs the tests.
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', KUBECONFIG: '/nonexistent' }
  return spawnSync(program, args, { encoding: 'utf8', env, timeout: 60_000 })
}

function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS()
  })
}
