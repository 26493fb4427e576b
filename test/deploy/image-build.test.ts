import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe } from 'node:test'
import { deploy } from '../lab/lab-product.ts'
import { startLab } from '../lab/lab-server.ts'
import { aBody } from '../server/a-report.ts'
import { itTakesLong } from '../server/long.ts'
import { get, post } from '../server/start-app.ts'
import { startServer } from '../server/start-server.ts'
import { readDockerfile, theStage } from './dockerfile.ts'
import { commandOf, runImage } from './run-image.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const UID = 10_001
const stages = readDockerfile()

/** What an engine gives a user who says nothing else. */
const DEFAULTS = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/home/reporter' }

// Minutes, and 200 MB of Debian's packages: apt-get install --no-install-recommends buildah mmdebstrap. As root.
describe('a real engine', () => {
  itTakesLong('builds both images by the Dockerfile, and they do their work', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gitops-status-buildah-'))
    chmodSync(directory, 0o755) // for the user of the images
    const buildah = openBuildah(directory)
    try {
      buildah.makeBase(theStage(stages, 'server-build').base)
      await tryServer(buildah.build('server'), directory)
      await tryReporter(buildah.build('reporter'), directory)
    } finally {
      buildah.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

async function tryServer(root: string, directory: string): Promise<void> {
  const image = { root, stage: theStage(stages, 'server'), volume: newVolume(directory, 'server') }
  const first = await runImage(image)
  assert.equal((await post(first.url, aBody({ server: 'kept' }))).status, 200)
  assert.equal(await first.stop(), 0)
  const second = await runImage(image)
  assert.equal((await get(second.url, '/status.json')).body.server, 'kept')
  assert.equal(await second.stop(), 0)
}

/** As a pipeline's step: a checkout that it may read, the key in a variable, a server that is deployed. */
async function tryReporter(root: string, directory: string): Promise<void> {
  const volume = newVolume(directory, 'reporter')
  await using lab = await startLab({ servers: ['rsyslog-lab'] })
  await deploy(lab.sshConfig, AbortSignal.timeout(120_000))
  writeFileSync(join(volume, 'ssh_config'), readFileSync(lab.sshConfigForAgent))
  const server = await startServer({ database: join(directory, 'reports.db'), args: ['--shutdown-wait', '0'] })

  const files = ['ansible', 'ansible.cfg', 'update-gitops-status.sh']
  const repository = join(directory, 'repository')
  mkdirSync(repository)
  spawnSync('cp', ['-r', ...files, repository], { cwd: ROOT })
  const [program = '', ...args] = commandOf({
    root,
    stage: theStage(stages, 'reporter'),
    volume,
    mounts: { [repository]: '/repository' },
    env: {
      ...DEFAULTS,
      GITOPS_STATUS_SERVER_URL: server.url,
      REPO_NAME: 'rsyslog',
      SERVER_NAME: 'rsyslog-lab',
      ANSIBLE_CONFIG: 'ansible.cfg',
      ANSIBLE_SSH_COMMON_ARGS: '-F /home/reporter/ssh_config',
      SSH_PRIVATE_KEY: lab.privateKey,
      SSH_KNOWN_HOSTS: lab.knownHosts,
    },
    command: ['sh', '-c', 'cd /repository && git --version && ./update-gitops-status.sh'],
  })
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 })
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /✓ Status update successful \(HTTP 200\)/)
  assert.equal((await get(server.url, '/status.json')).body.sync_status, 'SYNCED')
  assert.equal(await server.end('SIGTERM'), 0)
}

function newVolume(directory: string, name: string): string {
  const volume = join(directory, `${name}-volume`)
  mkdirSync(volume)
  chownSync(volume, UID, UID)
  return volume
}

/** An engine that needs no daemon and no registry, with a storage of its own. */
function openBuildah(directory: string) {
  const storage = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
  const buildah = (...args: readonly string[]) => run('buildah', [...storage, ...args])

  return {
    /** Stands in for the base of that name: Debian, and the Node and npm that run here. */
    makeBase(name: string): void {
      const archive = join(directory, 'debian.tar')
      run('mmdebstrap', ['--quiet', '--variant=minbase', '--include=ca-certificates', 'bookworm', archive])
      const container = buildah('from', 'scratch')
      buildah('add', container, archive, '/')
      buildah('copy', container, process.execPath, '/usr/local/bin/node')
      const npm = dirname(dirname(run('readlink', ['-f', run('which', ['npm'])])))
      buildah('copy', container, npm, '/usr/local/lib/node_modules/npm')
      const link = ['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm']
      buildah('run', '--isolation', 'chroot', container, '--', ...link)
      buildah('commit', '--quiet', container, name)
      buildah('rm', container)
    },
    /** Returns where the files of the image are. */
    build(target: string): string {
      const dockerfile = join(ROOT, 'deploy/image/Dockerfile')
      const how = [
        '--isolation',
        'chroot',
        '--format',
        'docker',
        '--pull-never',
        '--quiet',
        ...registryOfThisMachine(directory),
      ]
      buildah('build', ...how, '--file', dockerfile, '--target', target, '--tag', target, ROOT)
      // The storage is root's alone.
      const files = join(directory, target)
      run('cp', ['-a', buildah('mount', buildah('from', target)), files])
      chmodSync(files, 0o755)
      return files
    },
    close(): void {
      spawnSync('buildah', [...storage, 'rm', '--all'])
    },
  }
}

/** A registry whose certificate only this machine knows is reached in the build as here. */
function registryOfThisMachine(directory: string): readonly string[] {
  const configured = run('npm', ['config', 'get', 'cafile'])
  // npm under another Node than the machine's finds another configuration, and reaches it by what Node trusts.
  const file = configured === 'null' ? (process.env.NODE_EXTRA_CA_CERTS ?? '') : configured
  if (file === '') return []
  const npmrc = join(directory, 'npmrc')
  writeFileSync(npmrc, `cafile=${file}\n`)
  return ['--volume', `${file}:${file}:ro`, '--volume', `${npmrc}:/usr/local/etc/npmrc:ro`]
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 900_000 })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${error ?? ''}${stderr}`)
  return stdout.trim()
}
