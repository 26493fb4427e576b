import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { HELM, KUBECTL } from '../../scripts/kubernetes-tools/install.ts'
import type { KubernetesObject } from './kubernetes-schema.ts'

const KUBERNETES = new URL('../../deploy/kubernetes/', import.meta.url).pathname
const CHART = new URL('../../deploy/helm/gitops-status-server/', import.meta.url).pathname

export type Store = 'sqlite' | 'postgresql'

/** What `kubectl apply -k` sends, with and without the component for the Prometheus operator. */
export function renderOverlay(store: Store, { monitoring = false } = {}): readonly KubernetesObject[] {
  const components = monitoring ? '[kubernetes/components/prometheus-operator]' : '[]'
  return renderKustomization(`resources: [kubernetes/overlays/${store}]\ncomponents: ${components}\n`)
}

/** The same for a user's own kustomization, beside a copy of deploy/kubernetes. */
export function renderKustomization(text: string): readonly KubernetesObject[] {
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-overlay-'))
  try {
    cpSync(KUBERNETES, join(directory, 'kubernetes'), { recursive: true })
    writeFileSync(join(directory, 'kustomization.yaml'), text)
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
